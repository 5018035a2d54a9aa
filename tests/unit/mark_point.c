/*
 * Check writes a message to its parent at every assertion that holds, so that it can say after which one a test
 * crashed. Half a million of them take a minute, nearly all of it in the parent. The linker (--wrap) sends those calls
 * here, and nothing is written: the sanitizers say more precisely where a test crashed.
 */
void __wrap__mark_point(const char *file, int line);

void __wrap__mark_point(const char *file, int line)
{
	(void)file;
	(void)line;
}
