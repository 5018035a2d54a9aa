/* Alerts: kept in order, cut when they are too many, told as JSON; and how health is judged. */
#include "server/monitor/alerts.h"

#include <check.h>
#include <stdlib.h>

#include "server/monitor/health.h"

static void add(struct alerts *alerts, int64_t value)
{
	char message[32] = "gone after the call";

	alerts_add(alerts, &(struct alert){
				   .type = ALERT_HIGH_ERROR_RATE,
				   .component_id = STR("Ab3dEf9_"),
				   .component_name = STR("Counter"),
				   .message = str_of(message),
				   .value = value,
				   .threshold = 10,
				   .wall_ms = 1700000000000 + value,
			   });
	message[0] = 0;
}

START_TEST(above_a_thousand_the_last_five_hundred_stay)
{
	struct alerts *alerts = alerts_new();

	for (int64_t i = 0; i < 1000; i++)
		add(alerts, i);
	ck_assert_uint_eq(alerts_count(alerts), 1000);
	ck_assert_int_eq(alerts_at(alerts, 0)->value, 0);
	add(alerts, 1000);
	ck_assert_uint_eq(alerts_count(alerts), 500);
	ck_assert_int_eq(alerts_at(alerts, 0)->value, 501);
	ck_assert_int_eq(alerts_at(alerts, 499)->value, 1000);
	alerts_free(alerts);
	alerts_free(NULL);
}
END_TEST

START_TEST(an_alert_is_told_as_the_protocol_says)
{
	const struct alert alert = {
		.type = ALERT_SLOW_ACTION,
		.component_id = STR("Ab3dEf9_"),
		.component_name = STR("Counter"),
		.message = STR("Slow action 'a\"b': 1500ms (threshold: 1000ms)"),
		.value = 1500,
		.threshold = 1000,
		.wall_ms = 1700000000000,
	};
	struct alert *copy = alert_copy(&alert);
	struct buf out;

	buf_init(&out, 1000);
	alert_write(&out, copy);
	buf_append_char(&out, 0);
	ck_assert_str_eq(out.ptr,
			 "{\"type\":\"slow_action\",\"componentId\":\"Ab3dEf9_\",\"componentName\":\"Counter\","
			 "\"message\":\"Slow action 'a\\\"b': 1500ms (threshold: 1000ms)\",\"value\":1500,"
			 "\"threshold\":1000,\"timestamp\":1700000000000}");
	buf_deinit(&out);
	free(copy);
}
END_TEST

START_TEST(health_goes_by_errors_and_idleness)
{
	ck_assert_int_eq(health_of(0, 0), HEALTHY);
	ck_assert_int_eq(health_of(0, 300), HEALTHY);
	ck_assert_int_eq(health_of(0, 301), DEGRADED);
	ck_assert_int_eq(health_of(1, 0), DEGRADED);
	ck_assert_int_eq(health_of(5, 1000), DEGRADED);
	ck_assert_int_eq(health_of(6, 0), UNHEALTHY);
	ck_assert_str_eq(health_name(UNHEALTHY), "unhealthy");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("alerts");
	TCase *tests = tcase_create("alerts");
	tcase_add_test(tests, above_a_thousand_the_last_five_hundred_stay);
	tcase_add_test(tests, an_alert_is_told_as_the_protocol_says);
	tcase_add_test(tests, health_goes_by_errors_and_idleness);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
