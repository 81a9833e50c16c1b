#include "tests/support/suite.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "corpora/generate.h"
#include "corpora/text_map.h"

static const char *const dutch = "corpora/nl-en.grammar";
static const char *const stories = "corpora/summaries.grammar";

/* What every small grammar here begins with. */
#define BEGIN "languages nl en\nstart S\nfeature number = sg pl\nfeature gender = de het\n"

static struct tolk_grammar *load(const char *path)
{
    struct tolk_error error = {""};
    struct tolk_grammar *grammar = NULL;
    ck_assert_msg(tolk_grammar_load(&grammar, path, &error) == 0, "%s", error.message);
    return grammar;
}

/* Writes the text to a file and loads it; -1 leaves the message, without the file's name. */
static int load_text(const char *text, size_t size, struct tolk_grammar **grammar, char *message)
{
    char path[] = "/tmp/tolk-grammar-XXXXXX";
    struct tolk_error error = {""};
    const int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(write(descriptor, text, size), (ssize_t)size);
    close(descriptor);
    const int result = tolk_grammar_load(grammar, path, &error);
    unlink(path);
    const char *end = strstr(error.message, path);
    strcpy(message, end != NULL ? end + strlen(path) : error.message);
    return result;
}

static void refuses(const char *text, const char *expected)
{
    struct tolk_grammar *grammar = NULL;
    char message[TOLK_ERROR_MESSAGE_BYTES];
    ck_assert_int_eq(load_text(text, strlen(text), &grammar, message), -1);
    ck_assert_ptr_null(grammar);
    ck_assert_msg(strstr(message, expected) != NULL, "expected \"%s\", found \"%s\"", expected,
                  message);
}

static struct tolk_grammar *accepts(const char *text)
{
    struct tolk_grammar *grammar = NULL;
    char message[TOLK_ERROR_MESSAGE_BYTES];
    ck_assert_msg(load_text(text, strlen(text), &grammar, message) == 0, "%s", message);
    return grammar;
}

START_TEST(names_the_line_of_what_it_refuses)
{
    refuses("table A: nl\n", ":1: expected \"languages\" first");
    refuses("languages nl nl\n", ":1: expected two different names");
    refuses(BEGIN "sentence S\n", ":5: expected languages, feature");
    refuses(BEGIN "  kat\n", ":5: an indented line belongs to");
    refuses(BEGIN "feature number = a\n", ":5: the feature number is declared twice");
    refuses(BEGIN "table S: nl en\n    kat\n", ":6: expected 2 cells, found 1");
    refuses(BEGIN "table S: nl en\n    kat cat dog\n", ":6: expected 2 cells, found more");
    refuses(BEGIN "table S: number nl\n    dual kat\n",
            ":6: expected a value of the feature number");
    refuses(BEGIN "table S: colour nl en\n", ":5: expected a feature, a form such as nl.plural");
    refuses(BEGIN "rule S(number)\n", ":5: expected '='");
    refuses(BEGIN "rule S(number=$n gender=$n)\n", ":5: $n stands for features of different");
    refuses(BEGIN "rule S 0\n", ":5: expected a weight, a positive number");
    refuses(BEGIN "rule S\n    nl: <a>\n", ":6: expected a child of this rule, found \"a\"");
    refuses(BEGIN "rule S\n    fr: chat\n", ":6: expected one of the two languages");
    refuses(BEGIN "rule S\n    nl: a\n    nl: b\n", ":7: the part nl. is given twice");
    refuses(BEGIN "held-out 3 of 2\n", ":5: expected a part of all combinations");
    refuses(BEGIN "length 5 2\n", ":5: expected the shorter length first");
    refuses("languages nl en\n", ": expected a line \"start SYMBOL\"");
}
END_TEST

START_TEST(refuses_what_does_not_hang_together)
{
    refuses(BEGIN "rule S\n    a = Noun\n    nl: <a>\n    en: <a>\n",
            ":6: expected a rule or a row for Noun, found none");
    refuses(BEGIN "rule S\n    a = N\n    nl: <a>\n    en: <a.plural>\n"
                  "table N: nl en\n    kat cat\n",
            ":8: no rule of N has the part en.plural");
    refuses(BEGIN "rule S\n    a = N(gender=de)\n    nl: <a>\n    en: <a>\n"
                  "table N: nl en\n    kat cat\n",
            ":6: asks for the gender of N, which line 10 does not state");
    refuses(BEGIN "rule S\n    a = N\n    nl: <a>\n    en: x\ntable N: nl en\n    kat cat\n",
            ":6: the child a stands on the side nl alone (unlinked)");
    refuses(BEGIN "rule S\n    nl: niet^1\n    en: not^2\n",
            ":5: the mark ^1 stands on the side nl alone (unlinked)");
    refuses(BEGIN "rule S\n    a = S\n    nl: en <a>\n    en: and <a>\n",
            ":5: recursion without end: every rule of S leads to itself");
    refuses(BEGIN "rule S\n    nl: kat\n", ":2: the start symbol says nothing on the side en");
}
END_TEST

START_TEST(refuses_bytes_that_are_not_text)
{
    static const char bad[] = BEGIN "# k\xff\n";
    static const char nul[] = BEGIN "\0";
    struct tolk_grammar *grammar = NULL;
    char message[TOLK_ERROR_MESSAGE_BYTES];
    refuses(bad, ":5: expected UTF-8 text, found the byte 0xff");
    refuses(BEGIN "rule S\r\n", ":5: expected UTF-8 text, found the byte 0x0d");
    ck_assert_int_eq(load_text(nul, sizeof nul, &grammar, message), -1);
    ck_assert_ptr_nonnull(strstr(message, ":5: expected UTF-8 text, found the byte 0x00"));
    refuses("", ": expected a line \"start SYMBOL\"");
    struct tolk_error error = {""};
    ck_assert_int_eq(tolk_grammar_load(&grammar, "tests/no-such.grammar", &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "tests/no-such.grammar: cannot open"));
}
END_TEST

static void derives(const struct tolk_grammar *grammar, uint64_t draw, const char *expected)
{
    struct tolk_derived pair;
    struct tolk_error error = {""};
    char found[512];
    ck_assert_msg(tolk_grammar_derive(grammar, tolk_random_key(1, draw, 0), &pair, &error) == 0,
                  "%s", error.message);
    char *links = tolk_links_format(&pair.links);
    snprintf(found, sizeof found, "%s | %s | %s", pair.source, pair.target, links);
    ck_assert_str_eq(found, expected);
    free(links);
    tolk_derived_free(&pair);
}

/* Order, agreement through variables, several parts, marks of three kinds, clinging. */
START_TEST(links_words_as_the_derivation_does)
{
    struct tolk_grammar *grammar = accepts(
        BEGIN
        "table N: gender number nl.sg nl.pl en.sg en.pl\n    het pl boek boeken book books\n"
        "table The: gender number nl en\n    de sg de the\n    het sg het the\n    * pl de the\n"
        "table V: nl.sg nl.pl nl.particle en.base\n    valt vallen om fall_over\n"
        "table Do: number en\n    sg does\n    pl do\n"
        "rule NP(number=$n)\n    *n = N(gender=$g number=$n)\n    d = The(gender=$g number=$n)\n"
        "    nl: <d> <n.$n>\n    en: <d> <n.$n>\n"
        "rule S\n    s = NP(number=$n)\n    v = V\n    d = Do(number=$n) one-sided\n"
        "    nl: waar+^1 om^2 <v.$n> <s> niet^3 <v.particle> ?\n"
        "    en: what+^1 +for^2 <d>^?v <s> not^3 <v.base> ?\n");
    derives(grammar, 1,
            "Waarom vallen de boeken niet om? | Whatfor do the books not fall over? | "
            "0-0 1p1 1-5 1-6 2-2 3-3 4-4 5p1 5-5 5-6");
    tolk_grammar_free(grammar);
}
END_TEST

START_TEST(a_mark_of_a_child_joins_its_head_word)
{
    struct tolk_grammar *grammar =
        accepts(BEGIN "table A: nl en\n    één one\n"
                      "rule B\n    *a = A\n    nl: <a>\n    en: <a>\n"
                      "rule S\n    b = B\n    nl: <b>\n    en: just^b <b> !\n");
    derives(grammar, 1, "Één | Just one! | 0-0 0-1");
    tolk_grammar_free(grammar);
}
END_TEST

START_TEST(says_what_stops_it_while_drawing)
{
    struct tolk_derived pair;
    struct tolk_error error = {""};
    struct tolk_grammar *open =
        accepts(BEGIN "table N: number nl.sg nl.pl en\n    * kat katten cat\n"
                      "rule S\n    n = N(number=$n)\n    nl: <n.$n>\n    en: <n>\n");
    ck_assert_int_eq(tolk_grammar_derive(open, tolk_random_key(1, 1, 0), &pair, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, ":9: $n is not decided"));
    struct tolk_grammar *stuck =
        accepts(BEGIN "table N: number nl en\n    sg kat cat\n"
                      "rule S\n    n = N(number=pl)\n    nl: <n>\n    en: <n>\n");
    ck_assert_int_eq(tolk_grammar_derive(stuck, tolk_random_key(1, 1, 0), &pair, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "at N: no rule has the features asked for"));
    struct tolk_grammar *endless =
        accepts(BEGIN "rule S 1000000\n    a = S\n    nl: x <a>\n    en: x <a>\n"
                      "rule S 0.000001\n    nl: x\n    en: x\n");
    ck_assert_int_eq(tolk_grammar_derive(endless, tolk_random_key(1, 1, 0), &pair, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "at S: the derivation grew too deep"));
    tolk_grammar_free(open);
    tolk_grammar_free(stuck);
    tolk_grammar_free(endless);
}
END_TEST

START_TEST(says_when_the_grammar_is_too_small_or_ambiguous)
{
    struct tolk_corpus corpus;
    struct tolk_error error = {""};
    const struct tolk_corpus_options options = {.seed = 1, .wanted = {4, 0, 0, 0}};
    struct tolk_grammar *three =
        accepts(BEGIN "table S: nl en\n    kat cat\n    hond dog\n    koe cow\n");
    ck_assert_int_eq(tolk_corpus_generate(three, &options, &corpus, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "train has 3 of 4"));
    struct tolk_grammar *two = accepts(BEGIN "table S: nl en\n    bank bank\n    bank couch\n");
    ck_assert_int_eq(tolk_corpus_generate(two, &options, &corpus, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "gives \"Bank\" two translations"));
    tolk_grammar_free(three);
    tolk_grammar_free(two);
}
END_TEST

static struct tolk_corpus generate(const char *path, uint64_t seed, size_t train, size_t others)
{
    static const char *const excluded[] = {"De kat zit op de mat."};
    struct tolk_corpus corpus;
    struct tolk_error error = {""};
    struct tolk_grammar *grammar = load(path);
    const struct tolk_corpus_options options = {.seed = seed,
                                                .wanted = {train, others, others, others},
                                                .excluded = excluded,
                                                .excluded_count = 1};
    ck_assert_msg(tolk_corpus_generate(grammar, &options, &corpus, &error) == 0, "%s",
                  error.message);
    tolk_grammar_free(grammar);
    return corpus;
}

static bool same_text(const struct tolk_corpus *a, const struct tolk_corpus *b,
                      enum tolk_split split)
{
    size_t size[2];
    char *text[2] = {tolk_corpus_text(a, split, &size[0]), tolk_corpus_text(b, split, &size[1])};
    const bool same = size[0] == size[1] && memcmp(text[0], text[1], size[0]) == 0;
    free(text[0]);
    free(text[1]);
    return same;
}

START_TEST(a_seed_decides_the_corpus)
{
    struct tolk_corpus one = generate(dutch, 1, 500, 50);
    struct tolk_corpus again = generate(dutch, 1, 500, 50);
    struct tolk_corpus other = generate(dutch, 2, 500, 50);
    for (enum tolk_split split = TOLK_TRAIN; split < TOLK_SPLITS; split++) {
        ck_assert(same_text(&one, &again, split));
        ck_assert(!same_text(&one, &other, split));
    }
    tolk_corpus_free(&one);
    tolk_corpus_free(&again);
    tolk_corpus_free(&other);
}
END_TEST

static size_t count_words(const char *text)
{
    size_t words = 1;
    for (; *text != '\0'; text++) {
        words += *text == ' ';
    }
    return words;
}

/* No source twice, no target in two splits, links within the words. That a source has one target
 * is what tolk_corpus_generate itself refuses to break. */
static void check_corpus(const struct tolk_corpus *corpus)
{
    struct tolk_text_map sources = {0};
    struct tolk_text_map targets = {0};
    struct tolk_error error = {""};
    for (enum tolk_split split = TOLK_TRAIN; split < TOLK_SPLITS; split++) {
        for (size_t i = 0; i < corpus->count[split]; i++) {
            const struct tolk_corpus_pair *pair = &corpus->pairs[split][i];
            struct tolk_links links = {0};
            ck_assert_ptr_null(tolk_text_map_find(&sources, pair->source));
            tolk_text_map_add(&sources, pair->source, split);
            const struct tolk_text_map_entry *seen = tolk_text_map_find(&targets, pair->target);
            ck_assert(seen == NULL || seen->value == split);
            if (seen == NULL) {
                tolk_text_map_add(&targets, pair->target, split);
            }
            ck_assert_msg(tolk_links_parse(pair->links, strlen(pair->links),
                                           count_words(pair->source), count_words(pair->target),
                                           pair->source, &links, &error) == 0,
                          "%s", error.message);
            ck_assert_uint_gt(links.count, 0);
            tolk_links_free(&links);
        }
    }
    ck_assert_ptr_null(tolk_text_map_find(&sources, "De kat zit op de mat."));
    tolk_text_map_free(&sources);
    tolk_text_map_free(&targets);
}

START_TEST(splits_are_disjoint_and_links_within_the_words)
{
    struct tolk_corpus corpus = generate(dutch, 3, 50000, 1000);
    check_corpus(&corpus);
    tolk_corpus_free(&corpus);
    corpus = generate(stories, 3, 20000, 500);
    check_corpus(&corpus);
    tolk_corpus_free(&corpus);
}
END_TEST

/* Two verbs, six objects, two rules that combine them, and a quarter of the pairs held out: what
 * stands in combinations stands nowhere else, in neither rule. */
START_TEST(held_out_combinations_stand_nowhere_else)
{
    struct tolk_grammar *grammar = accepts(
        BEGIN "held-out 1 of 4\n"
              "table V: nl en\n    leest reads\n    koopt buys\n    ziet sees\n    zoekt seeks\n"
              "table O: nl en\n    a a\n    b b\n    c c\n    d d\n    e e\n    f f\n"
              "table W: nl en\n    hij he\n    zij she\n    wie who\n"
              "rule S\n    w = W\n    v = V\n    o = O\n    combination vo v o\n"
              "    nl: <w> <v> <o> .\n    en: <w> <v> <o> .\n"
              "rule S\n    w = W\n    v = V\n    o = O\n    combination vo v o\n"
              "    nl: <v> <w> <o> ?\n    en: does <w> <v> <o> ?\n");
    struct tolk_derived pair;
    struct tolk_error error = {""};
    struct tolk_text_map held = {0}; /* "verb object" → whether it is held out */
    char *keys[2000];
    size_t held_count = 0;
    for (uint32_t draw = 0; draw < 2000; draw++) {
        ck_assert_int_eq(tolk_grammar_derive(grammar, tolk_random_key(9, draw, 0), &pair, &error),
                         0);
        char words[3][16];
        ck_assert_int_eq(sscanf(pair.target, "%15s %15s %15s", words[0], words[1], words[2]), 3);
        const char *rest = pair.target + strlen(words[0]) + 1;
        rest = words[0][0] == 'D' ? rest + strlen(words[1]) + 1 : rest;
        keys[draw] = strndup(rest, strcspn(rest, ".?"));
        const struct tolk_text_map_entry *seen = tolk_text_map_find(&held, keys[draw]);
        ck_assert(seen == NULL || (seen->value != 0) == pair.held_out);
        if (seen == NULL) {
            tolk_text_map_add(&held, keys[draw], pair.held_out);
            held_count += pair.held_out;
        }
        tolk_derived_free(&pair);
    }
    ck_assert_uint_eq(held.count, 24);
    ck_assert_uint_gt(held_count, 0);
    ck_assert_uint_lt(held_count, 14);
    for (size_t draw = 0; draw < 2000; draw++) {
        free(keys[draw]);
    }
    tolk_text_map_free(&held);
    tolk_grammar_free(grammar);
}
END_TEST

/* Two Dutch verbs with one English: where "koopt x" is held out and "neemt x" is not, their common
 * translation must not carry the one into the split of the other. */
START_TEST(a_shared_translation_does_not_leak_a_combination)
{
    struct tolk_grammar *grammar =
        accepts(BEGIN "held-out 1 of 2\n"
                      "table V: nl en\n    koopt buys\n    neemt buys\n"
                      "table O: nl en\n    a a\n    b b\n    c c\n    d d\n    e e\n    f f\n"
                      "rule S\n    v = V\n    o = O\n    combination vo v o\n"
                      "    nl: <v> <o>\n    en: <v> <o>\n");
    for (uint32_t seed = 0; seed < 50; seed++) {
        const struct tolk_corpus_options options = {.seed = seed, .wanted = {3, 0, 0, 3}};
        struct tolk_corpus corpus;
        struct tolk_derived pair;
        struct tolk_error error = {""};
        ck_assert_int_eq(tolk_corpus_generate(grammar, &options, &corpus, &error), 0);
        for (uint32_t draw = 0; draw < 200; draw++) {
            const struct tolk_random_key key = tolk_random_key(9, draw, 0);
            ck_assert_int_eq(tolk_grammar_derive(grammar, key, &pair, &error), 0);
            const enum tolk_split wrong = pair.held_out ? TOLK_TRAIN : TOLK_COMBINATIONS;
            for (size_t i = 0; i < corpus.count[wrong]; i++) {
                ck_assert_str_ne(corpus.pairs[wrong][i].source, pair.source);
            }
            tolk_derived_free(&pair);
        }
        tolk_corpus_free(&corpus);
    }
    tolk_grammar_free(grammar);
}
END_TEST

static size_t count_phrase(const struct tolk_corpus *corpus, enum tolk_split split,
                           const char *phrase)
{
    size_t count = 0;
    for (size_t i = 0; i < corpus->count[split]; i++) {
        count += strstr(corpus->pairs[split][i].source, phrase) != NULL;
    }
    return count;
}

/* Seen from outside: some adjectives stand with some nouns in combinations, again and again, and
 * never in another split, although the other splits have both words. */
START_TEST(the_dutch_corpus_keeps_its_combinations_apart)
{
    static const char *const adjectives[] = {"nieuwe", "mooie", "lelijke", "rode",  "groene",
                                             "blauwe", "witte", "zwarte",  "grote", "kleine"};
    static const char *const nouns[] = {"jas",  "trui", "hoed",  "jurk",  "bal",  "lamp",
                                        "bank", "mat",  "stoel", "tafel", "kast", "bloem"};
    struct tolk_corpus corpus = generate(dutch, 4, 20000, 3000);
    size_t apart = 0;
    for (size_t a = 0; a < sizeof adjectives / sizeof adjectives[0]; a++) {
        ck_assert_uint_ge(count_phrase(&corpus, TOLK_TRAIN, adjectives[a]), 50);
        for (size_t n = 0; n < sizeof nouns / sizeof nouns[0]; n++) {
            char phrase[64];
            snprintf(phrase, sizeof phrase, " %s %s", adjectives[a], nouns[n]);
            const size_t held = count_phrase(&corpus, TOLK_COMBINATIONS, phrase);
            const size_t elsewhere = count_phrase(&corpus, TOLK_TRAIN, phrase) +
                                     count_phrase(&corpus, TOLK_DEV, phrase) +
                                     count_phrase(&corpus, TOLK_TEST, phrase);
            apart += held >= 5 && elsewhere == 0;
            ck_assert_msg(held < 12 || elsewhere == 0,
                          "%s stands %zu times among the held out, "
                          "%zu times elsewhere",
                          phrase, held, elsewhere);
        }
    }
    ck_assert_uint_ge(apart, 3);
    tolk_corpus_free(&corpus);
}
END_TEST

/* Words without their punctuation, in lower case at the start of the sentence. */
static size_t count_forms(const struct tolk_corpus *corpus)
{
    struct tolk_text_map forms = {0};
    struct tolk_arena arena = {0};
    for (size_t i = 0; i < corpus->count[TOLK_TRAIN]; i++) {
        const char *source = corpus->pairs[TOLK_TRAIN][i].source;
        for (bool first = true; *source != '\0'; first = false) {
            const size_t size = strcspn(source, " .,?!");
            char *word = tolk_arena_text(&arena, source, size);
            if (first && word[0] >= 'A' && word[0] <= 'Z') {
                word[0] = (char)(word[0] - 'A' + 'a');
            }
            if (tolk_text_map_find(&forms, word) == NULL) {
                tolk_text_map_add(&forms, word, 0);
            }
            source += size + strspn(source + size, " .,?!");
        }
    }
    const size_t count = forms.count;
    tolk_text_map_free(&forms);
    tolk_arena_free(&arena);
    return count;
}

static size_t count_containing(const struct tolk_corpus *corpus, const char *source,
                               const char *target)
{
    size_t count = 0;
    for (size_t i = 0; i < corpus->count[TOLK_TRAIN]; i++) {
        const struct tolk_corpus_pair *pair = &corpus->pairs[TOLK_TRAIN][i];
        count += strstr(pair->source, source) != NULL && strstr(pair->target, target) != NULL;
    }
    return count;
}

START_TEST(the_dutch_grammar_holds_what_makes_dutch_different)
{
    static const struct {
        const char *what, *source, *target;
    } constructions[] = {
        {"verb second after an adverb", "Morgen zal ik ", "Tomorrow I will "},
        {"verb last in a subordinate clause", " omdat ", " because "},
        {"a participle at the end", " gekocht.", " bought"},
        {"an infinitive at the end", " lezen.", " read"},
        {"a separable verb apart", " op.", " fetched"},
        {"a separable verb joined", " opgehaald", " fetched"},
        {"a separable infinitive with te", " uit te nodigen.", " to invite"},
        {"inversion in questions", "Leest ", "Does "},
        {"je without -t", " zul je ", " you will "},
        {"de and the ending", "de mooie ", "the beautiful "},
        {"het without the ending", "een mooi ", "a beautiful "},
        {"niet", " niet ", " not "},
        {"geen", " geen ", " no "},
        {"a diminutive", "katje", "little cat"},
        {"a plural", "katten", "cats"},
        {"she by the verb", "Zij heeft ", "She has "},
        {"they by the verb", "Zij hebben ", "They have "},
        {"a possessive", "onze ", "our "},
        {"er", "Er ligt ", "There is "},
        {"er with a preposition", "ernaar", " at it"},
        {"daar and its preposition", "Daar ", " that."},
        {"waar and its preposition", "Waar ", "What "},
        {"waar with its preposition", "Waarnaar ", "What "},
        {"a relative clause", "de man die ", "the man who "},
        {"om te", " om ", " to "},
        {"an imperative", "Lees ", "Read "},
        {"cannot", "kan niet ", "cannot "},
    };
    struct tolk_corpus corpus = generate(dutch, 5, 20000, 100);
    for (size_t i = 0; i < sizeof constructions / sizeof constructions[0]; i++) {
        ck_assert_msg(count_containing(&corpus, constructions[i].source, constructions[i].target) >=
                          5,
                      "%s", constructions[i].what);
    }
    ck_assert_uint_ge(count_forms(&corpus), 300);
    tolk_corpus_free(&corpus);
}
END_TEST

static bool is_one_of_few(const char *row)
{
    static const char *const words[] = {" kat ", " mat ", " zit ", " opgestaan "};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strstr(row, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* The grammar without the other nouns and verbs: what it derives, the whole one derives too. */
static char *with_cat_and_mat_alone(const struct tolk_file *file)
{
    char *whole = strndup((const char *)file->bytes, file->size);
    char *text = calloc(file->size + 1, 1);
    bool lexicon = false;
    for (char *rest = whole, *row = NULL; (row = strsep(&rest, "\n")) != NULL;) {
        if (row[0] != ' ' && row[0] != '\0') {
            lexicon = strncmp(row, "table Noun:", 11) == 0 || strncmp(row, "table Verb:", 11) == 0;
        }
        if (row[0] != ' ' || !lexicon || is_one_of_few(row)) {
            strcat(text, row);
            strcat(text, rest != NULL ? "\n" : "");
        }
    }
    free(whole);
    return text;
}

START_TEST(the_cat_sits_on_the_mat)
{
    struct tolk_file file;
    struct tolk_derived pair;
    struct tolk_error error = {""};
    bool found = false;
    ck_assert_int_eq(tolk_file_map(&file, dutch, &error), 0);
    char *text = with_cat_and_mat_alone(&file);
    struct tolk_grammar *grammar = accepts(text);
    for (uint32_t draw = 0; draw < 20000 && !found; draw++) {
        ck_assert_msg(tolk_grammar_derive(grammar, tolk_random_key(1, draw, 0), &pair, &error) == 0,
                      "%s", error.message);
        if (strcmp(pair.source, "De kat zit op de mat.") == 0) {
            char *links = tolk_links_format(&pair.links);
            ck_assert_str_eq(pair.target, "The cat sits on the mat.");
            ck_assert_str_eq(links, "0-0 1-1 2-2 3-3 4-4 5-5");
            free(links);
            found = true;
        }
        tolk_derived_free(&pair);
    }
    ck_assert(found);
    tolk_grammar_free(grammar);
    free(text);
    tolk_file_unmap(&file);
}
END_TEST

TOLK_SUITE("grammar", names_the_line_of_what_it_refuses, refuses_what_does_not_hang_together,
           refuses_bytes_that_are_not_text, links_words_as_the_derivation_does,
           a_mark_of_a_child_joins_its_head_word, says_what_stops_it_while_drawing,
           says_when_the_grammar_is_too_small_or_ambiguous, a_seed_decides_the_corpus,
           splits_are_disjoint_and_links_within_the_words, held_out_combinations_stand_nowhere_else,
           a_shared_translation_does_not_leak_a_combination,
           the_dutch_corpus_keeps_its_combinations_apart,
           the_dutch_grammar_holds_what_makes_dutch_different, the_cat_sits_on_the_mat)
