export { decodeMessagePack } from "./msgpack";
export { AdaptiveChunkSizer, type ChunkSizerConfig } from "./chunk-sizer";
export { systemClock, type Clock } from "./clock";
export { LiveComponentHandle, type BinaryDecoder, type LiveComponentOptions } from "./component";
export { LiveConnection, type LiveConnectionOptions } from "./connection";
export type { LiveAuth, LiveConnectionState } from "./connection-state";
export { generateId } from "./ids";
export { mergeState } from "./merge";
export { clientMessages, type MountOptions } from "./messages";
export {
	clearPersistedState, getPersistedState, getRehydratableState, persistState, type PersistedState,
} from "./persistence";
export * from "./readers";
export { RoomManager, type RoomManagerOptions } from "./rooms";
export type { RoomHandle, RoomMembers, RoomProxy } from "./room-handle";
export { isSignedState, REHYDRATE_MAX_AGE } from "./signed-state";
export {
	StateValidator, type MergeStrategy, type StateConflict, type StateSource, type StateValidation, type ValidatedState,
} from "./state-validator";
export type { ClientTransport, TransportFactory, TransportListener } from "./transport";
export type { ClientFrame, LiveCredentials, ServerFrame, SignedState, State, Unsubscribe } from "./types";
export { ChunkedUploader, type UploaderOptions, type UploadState } from "./upload";
export { getConnection, onConnectionChange, useLive, type LiveComponent, type UseLiveOptions } from "./use-live";
export { WebSocketTransport } from "./websocket-transport";
