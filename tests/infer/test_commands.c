#include "tests/support/suite.h"

#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "infer/commands.h"
#include "tests/support/folder.h"
#include "tests/support/run.h"
#include "tests/support/tiny.h"

START_TEST(one_line_out_for_each_line_in)
{
    static const char text[] = "De kat slaapt.\n\n  \nHet regent.\r\nEen boek";
    char *const folder = tolk_test_tiny_folder(1);
    char *const path = tolk_test_write_text(folder, "lines", text, strlen(text));
    struct tolk_test_ran ran = TOLK_TEST_RUN(tolk_command_translate, folder, path);
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_str_eq(ran.log, "");
    ck_assert_uint_eq(tolk_test_count_lines(ran.out), 5);
    const char *const second = strchr(ran.out, '\n');
    ck_assert(strncmp(second, "\n\n\n", 3) == 0);
    ck_assert_ptr_null(strchr(ran.out, '\r'));
    tolk_test_ran_free(&ran);
    free(path);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(bad_bytes_end_the_work_behind_the_lines_before_them)
{
    static const char text[] = "De kat.\nHet\xff regent.\nEen boek.\n";
    char *const folder = tolk_test_tiny_folder(1);
    char *const path = tolk_test_write_text(folder, "lines", text, strlen(text));
    struct tolk_test_ran ran = TOLK_TEST_RUN(tolk_command_translate, folder, path);
    ck_assert_int_eq(ran.status, TOLK_FAILED);
    ck_assert_uint_eq(tolk_test_count_lines(ran.out), 1);
    ck_assert_ptr_nonnull(strstr(ran.log, "lines:2: byte 4 (0xff) is not UTF-8"));
    tolk_test_ran_free(&ran);

    ran = TOLK_TEST_RUN(tolk_command_translate, folder, path, "--skip-bad");
    ck_assert_int_eq(ran.status, TOLK_DONE);
    ck_assert_uint_eq(tolk_test_count_lines(ran.out), 3);
    ck_assert_ptr_nonnull(strstr(strchr(ran.out, '\n'), "\n\n"));
    ck_assert_ptr_nonnull(strstr(ran.log, "lines:2"));
    tolk_test_ran_free(&ran);

    tolk_test_write(path, "a\0b\n", 4);
    ran = TOLK_TEST_RUN(tolk_command_translate, folder, path);
    ck_assert_int_eq(ran.status, TOLK_FAILED);
    ck_assert_ptr_nonnull(strstr(ran.log, "lines:1: a NUL byte"));
    tolk_test_ran_free(&ran);
    free(path);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(a_line_of_a_megabyte_is_cut_with_a_warning)
{
    enum { MEGABYTE = 1 << 20 };
    char *const folder = tolk_test_tiny_folder(1);
    char *const text = malloc(MEGABYTE + 16);
    for (size_t i = 0; i < MEGABYTE; i++) {
        text[i] = "kat zit "[i % 8];
    }
    memcpy(text + MEGABYTE, "\nDe kat.\n", 9);
    char *const path = tolk_test_write_text(folder, "lines", text, MEGABYTE + 9);
    struct tolk_test_ran ran = TOLK_TEST_RUN(tolk_command_translate, folder, path);
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_uint_eq(tolk_test_count_lines(ran.out), 2);
    ck_assert_ptr_nonnull(strstr(ran.log, "lines:1: "));
    ck_assert_ptr_nonnull(strstr(ran.log, "more than the 31 that the model can read"));
    tolk_test_ran_free(&ran);

    /* One word without a space. */
    memset(text, 'k', MEGABYTE);
    tolk_test_write(path, text, MEGABYTE + 9);
    ran = TOLK_TEST_RUN(tolk_command_translate, folder, path, "--alignment", "hard");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_uint_eq(tolk_test_count_lines(ran.out), 2);
    tolk_test_ran_free(&ran);
    free(text);
    free(path);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(wrong_usage_names_the_option)
{
    static const struct {
        const char *arguments[5];
        const char *message;
    } cases[] = {
        {{"model", "--beem"}, "unknown or ambiguous option --beem"},
        {{"model", "-q"}, "unknown option -q"},
        {{"model", "--beam", "0"}, "--beam: expected a number from 1"},
        {{"model", "--beam", "4x"}, "--beam: expected a whole number, found \"4x\""},
        {{"model", "--beam", "-1"}, "--beam: expected a whole number, found \"-1\""},
        {{"model", "--beam", "99999999999999999999999"}, "--beam: expected a number from 1"},
        {{"model", "--beam", ""}, "--beam: expected a whole number, found \"\""},
        {{"model", "--beam"}, "option --beam needs a value"},
        {{"model", "--json=1"}, "option --json=1 takes no value"},
        {{"model", "--length-penalty", "nan"}, "--length-penalty: expected a number from 0"},
        {{"model", "--alignment", "firm"}, "--alignment: expected hard, soft or a threshold"},
        {{"model", "file", "other"}, "unexpected operand \"other\""},
        {{NULL}, "expected MODEL [FILE]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tolk_test_ran ran = tolk_test_run(tolk_command_translate, cases[i].arguments);
        ck_assert_int_eq(ran.status, TOLK_WRONG_USAGE);
        ck_assert_str_eq(ran.out, "");
        ck_assert_msg(strstr(ran.log, cases[i].message) != NULL, "expected \"%s\", found: %s",
                      cases[i].message, ran.log);
        tolk_test_ran_free(&ran);
    }
}
END_TEST

START_TEST(options_that_the_model_cannot_follow_are_wrong_usage)
{
    char *const folder = tolk_test_tiny_folder(1);
    struct tolk_test_ran ran =
        TOLK_TEST_RUN(tolk_command_translate, folder, "/dev/null", "--layer", "2", "-a", "hard");
    ck_assert_int_eq(ran.status, TOLK_WRONG_USAGE);
    ck_assert_ptr_nonnull(strstr(ran.log, "--layer: the model has decoder layers 0 to 1, not 2"));
    tolk_test_ran_free(&ran);
    ran = TOLK_TEST_RUN(tolk_command_translate, folder, "/dev/null", "--head", "0,2");
    ck_assert_int_eq(ran.status, TOLK_WRONG_USAGE);
    ck_assert_ptr_nonnull(strstr(ran.log, "--head: the model has attention heads 0 to 1, not 2"));
    tolk_test_ran_free(&ran);
    ran = TOLK_TEST_RUN(tolk_command_translate, folder, "/dev/null", "--head", "0,");
    ck_assert_int_eq(ran.status, TOLK_WRONG_USAGE);
    ck_assert_ptr_nonnull(strstr(ran.log, "--head: "));
    tolk_test_ran_free(&ran);
    ran =
        TOLK_TEST_RUN(tolk_command_translate, folder, "/dev/null", "--beam", "2", "--n-best", "3");
    ck_assert_int_eq(ran.status, TOLK_WRONG_USAGE);
    ck_assert_ptr_nonnull(strstr(ran.log, "--n-best"));
    tolk_test_ran_free(&ran);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(what_is_missing_is_named)
{
    struct tolk_test_ran ran = TOLK_TEST_RUN(tolk_command_translate, "/nowhere/model");
    ck_assert_int_eq(ran.status, TOLK_FAILED);
    ck_assert_ptr_nonnull(strstr(ran.log, "/nowhere/model"));
    tolk_test_ran_free(&ran);
    char *const folder = tolk_test_tiny_folder(1);
    ran = TOLK_TEST_RUN(tolk_command_translate, folder, "/nowhere/lines");
    ck_assert_int_eq(ran.status, TOLK_FAILED);
    ck_assert_ptr_nonnull(strstr(ran.log, "/nowhere/lines"));
    tolk_test_ran_free(&ran);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(a_config_of_another_vocabulary_is_refused)
{
    char *const folder = tolk_test_tiny_folder(1);
    char *const path = tolk_path_join(folder, "config.json");
    json_t *const config = json_load_file(path, 0, NULL);
    json_object_set_new(config, "eos_token_id", json_integer(3));
    ck_assert_int_eq(json_dump_file(config, path, 0), 0);
    json_decref(config);
    struct tolk_test_ran ran = TOLK_TEST_RUN(tolk_command_translate, folder, "/dev/null");
    ck_assert_int_eq(ran.status, TOLK_FAILED);
    ck_assert_ptr_nonnull(strstr(ran.log, folder));
    ck_assert_ptr_nonnull(strstr(ran.log, ": eos_token_id: the config says 3, the vocabulary 0"));
    tolk_test_ran_free(&ran);
    free(path);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(inspects_a_sentence_and_a_given_translation)
{
    char *const folder = tolk_test_tiny_folder(1);
    setenv("COLUMNS", "80", 1);
    struct tolk_test_ran ran = TOLK_TEST_RUN(tolk_command_inspect, folder, "De kat zit", "--given",
                                             "The cat is", "--colour", "never");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_uint_eq(tolk_test_count_lines(ran.out), 5 + 1 + 4 + 2);
    ck_assert_ptr_null(strchr(ran.out, '\033'));
    tolk_test_ran_free(&ran);
    ran = TOLK_TEST_RUN(tolk_command_inspect, folder, "De kat zit", "--colour", "always");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_ptr_nonnull(strchr(ran.out, '\033'));
    tolk_test_ran_free(&ran);
    static const char *const wrong[] = {"", "  ", "a\nb", "a\xff"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ran = TOLK_TEST_RUN(tolk_command_inspect, folder, wrong[i]);
        ck_assert_int_eq(ran.status, TOLK_FAILED);
        ck_assert_ptr_nonnull(strstr(ran.log, "the sentence"));
        tolk_test_ran_free(&ran);
    }
    tolk_test_folder_remove(folder);
}
END_TEST

/* As many lines as --kind and --all should draw: titles and legends, then a row for each word. */
START_TEST(inspects_every_kind_and_all_heads)
{
    static const struct {
        const char *const arguments[5];
        size_t lines;
    } runs[] = {
        {{"--kind", "encoder"}, 5 + 1 + 4 + 2},
        {{"--kind", "decoder", "--layer", "0"}, 5 + 1 + 3 + 2},
        {{"--all"}, 5 + 1 + 2 * (1 + 2 + 3) + 2},
        {{"--all", "--kind", "encoder"}, 5 + 1 + 2 * (1 + 2 + 4) + 2},
    };
    char *const folder = tolk_test_tiny_folder(1);
    setenv("COLUMNS", "80", 1);
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        const char *arguments[12] = {folder,    "De kat zit", "--given",
                                     "The cat", "--colour",   "never"};
        memcpy(arguments + 6, runs[i].arguments, sizeof runs[i].arguments);
        struct tolk_test_ran ran = tolk_test_run(tolk_command_inspect, arguments);
        ck_assert_msg(ran.status == 0, "%s", ran.log);
        ck_assert_msg(tolk_test_count_lines(ran.out) == runs[i].lines, "%s", ran.out);
        tolk_test_ran_free(&ran);
    }
    setenv("LC_ALL", "C.UTF-8", 1);
    struct tolk_test_ran ran = TOLK_TEST_RUN(tolk_command_inspect, folder, "De kat zit", "--given",
                                             "The cat", "--pieces", "--ascii", "--all");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    for (const char *at = ran.out; *at != '\0'; at++) {
        ck_assert_int_gt(*at, 0);
    }
    tolk_test_ran_free(&ran);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(inspect_refuses_what_the_model_lacks)
{
    static const struct {
        const char *const arguments[5];
        const char *message;
        int status;
    } runs[] = {
        {{"--layer", "2"}, "--layer: the model has decoder layers 0 to 1, not 2", TOLK_WRONG_USAGE},
        {{"--head", "2"}, "--head: the model has attention heads 0 to 1, not 2", TOLK_WRONG_USAGE},
        {{"--kind", "encoder", "--layer", "2"},
         "--layer: the model has encoder layers 0 to 1",
         TOLK_WRONG_USAGE},
        {{"--kind", "decoder", "--head", "0,2"}, "--head: the model has", TOLK_WRONG_USAGE},
        {{"--kind", "sideways"}, "--kind: expected one of", TOLK_WRONG_USAGE},
        {{"--colour", "blue"}, "--colour: expected one of", TOLK_WRONG_USAGE},
        {{"--all", "--steps"}, "leave out --steps", TOLK_WRONG_USAGE},
        {{"--all", "--layer", "1"}, "leave out --layer", TOLK_WRONG_USAGE},
        {{"--all", "--head", "1"}, "leave out --head", TOLK_WRONG_USAGE},
        {{"--word", "1"}, "--word needs --steps", TOLK_WRONG_USAGE},
        {{"--given", ""}, "the given translation is empty", TOLK_FAILED},
        {{"--given", "kat kat kat kat kat kat kat kat kat kat kat kat kat kat kat kat kat kat "
                     "kat kat kat kat kat kat kat kat kat kat kat kat kat kat kat kat kat kat"},
         "pieces, the model reads at most 31",
         TOLK_FAILED},
    };
    char *const folder = tolk_test_tiny_folder(1);
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        const char *arguments[8] = {folder, "De kat zit"};
        memcpy(arguments + 2, runs[i].arguments, sizeof runs[i].arguments);
        struct tolk_test_ran ran = tolk_test_run(tolk_command_inspect, arguments);
        ck_assert_msg(ran.status == runs[i].status && strstr(ran.log, runs[i].message) != NULL,
                      "%d: %s", ran.status, ran.log);
        ck_assert_str_eq(ran.out, "");
        tolk_test_ran_free(&ran);
    }
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(json_is_one_object_a_line)
{
    char *const folder = tolk_test_tiny_folder(1);
    char *const lines = tolk_test_write_text(folder, "lines", "De \"kat\".\n\n", 11);
    struct tolk_test_ran ran = TOLK_TEST_RUN(tolk_command_translate, folder, lines, "--json",
                                             "--n-best", "2", "--beam", "2", "--alignment", "soft");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_uint_eq(tolk_test_count_lines(ran.out), 2);
    const char *at = ran.out;
    for (size_t i = 0; i < 2; i++) {
        json_error_t wrong;
        json_t *const object = json_loads(at, JSON_DISABLE_EOF_CHECK, &wrong);
        ck_assert_msg(json_is_object(object), "%s", wrong.text);
        ck_assert_str_eq(json_string_value(json_object_get(object, "source")),
                         i == 0 ? "De \"kat\"." : "");
        const size_t words = json_array_size(json_object_get(object, "words"));
        ck_assert_uint_eq(json_array_size(json_object_get(object, "word_scores")), words + 1);
        ck_assert_uint_eq(json_array_size(json_object_get(object, "attention")),
                          i == 0 ? words + 1 : 0);
        ck_assert_uint_eq(json_array_size(json_object_get(object, "n_best")), i == 0 ? 2 : 1);
        json_decref(object);
        at = strchr(at, '\n') + 1;
    }
    tolk_test_ran_free(&ran);
    free(lines);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(n_best_widens_the_beam_of_the_model)
{
    char *const folder = tolk_test_tiny_folder(1); /* num_beams 1 */
    char *const lines = tolk_test_write_text(folder, "lines", "De kat.\n", 8);
    struct tolk_test_ran ran =
        TOLK_TEST_RUN(tolk_command_translate, folder, lines, "--n-best", "5");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_uint_eq(tolk_test_count_lines(ran.out), 5);
    tolk_test_ran_free(&ran);
    free(lines);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(a_full_disk_is_noticed)
{
    char *const folder = tolk_test_tiny_folder(1);
    char *const lines = tolk_test_write_text(folder, "lines", "De kat.\n", 8);
    char *log = NULL;
    size_t size = 0;
    FILE *const out = fopen("/dev/full", "w");
    FILE *const err = open_memstream(&log, &size);
    if (out == NULL) {
        TOLK_SKIP("no /dev/full here");
    }
    char name[] = "tolk";
    char *argv[] = {name, folder, lines, NULL};
    ck_assert_int_eq(tolk_command_translate(3, argv, out, err), TOLK_FAILED);
    fclose(out);
    fclose(err);
    ck_assert_ptr_nonnull(strstr(log, "cannot write the output: No space left"));
    free(log);
    free(lines);
    tolk_test_folder_remove(folder);
}
END_TEST

/* Writes a line and waits for its answer, before the input ends. */
static void ask(int to, int from, const char *line)
{
    char answer[4096];
    struct pollfd waiting = {.fd = from, .events = POLLIN};
    ck_assert_int_eq((int)write(to, line, strlen(line)), (int)strlen(line));
    ck_assert_int_eq(poll(&waiting, 1, 20000), 1);
    const ssize_t got = read(from, answer, sizeof answer);
    ck_assert(got > 0 && answer[got - 1] == '\n');
    ck_assert_ptr_eq(memchr(answer, '\n', (size_t)got), answer + got - 1);
}

START_TEST(a_person_is_answered_line_by_line)
{
    char *const folder = tolk_test_tiny_folder(1);
    int in[2];
    int out[2];
    ck_assert(pipe(in) == 0 && pipe(out) == 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(in[0], STDIN_FILENO);
        close(in[1]);
        close(out[0]);
        FILE *const stream = fdopen(out[1], "w");
        char name[] = "tolk";
        char threads[] = "-t4";
        char *argv[] = {name, folder, threads, NULL};
        _exit(tolk_command_translate(3, argv, stream, stderr));
    }
    close(in[0]);
    close(out[1]);
    ask(in[1], out[0], "De kat slaapt.\n");
    ask(in[1], out[0], "\n");
    ask(in[1], out[0], "Een boek.\n");
    close(in[1]);
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(out[0]);
    tolk_test_folder_remove(folder);
}
END_TEST

TOLK_SUITE("commands", one_line_out_for_each_line_in,
           bad_bytes_end_the_work_behind_the_lines_before_them,
           a_line_of_a_megabyte_is_cut_with_a_warning, wrong_usage_names_the_option,
           options_that_the_model_cannot_follow_are_wrong_usage, what_is_missing_is_named,
           a_config_of_another_vocabulary_is_refused, inspects_a_sentence_and_a_given_translation,
           inspects_every_kind_and_all_heads, inspect_refuses_what_the_model_lacks,
           json_is_one_object_a_line, n_best_widens_the_beam_of_the_model, a_full_disk_is_noticed,
           a_person_is_answered_line_by_line)
