#include "tests/support/suite.h"

#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "model/floats.h"
#include "model/model.h"
#include "model/positions.h"
#include "model/safetensors.h"
#include "tests/support/folder.h"

enum { MAX_TENSORS = 128 };

static char *folder;
static char path[4200];
static struct tolk_error error;

static struct tolk_config small_config(bool normalize_before)
{
    struct tolk_config config = tolk_config_default(11);
    config.d_model = 8;
    config.encoder_layers = 1;
    config.decoder_layers = 1;
    config.encoder_attention_heads = 2;
    config.decoder_attention_heads = 2;
    config.encoder_ffn_dim = 6;
    config.decoder_ffn_dim = 10;
    config.max_position_embeddings = 16;
    config.normalize_before = normalize_before;
    return config;
}

/* A folder with a saved model; the tensors as sources, for writing them again in another way. */
static struct tolk_model saved;
static struct tolk_safetensor_source sources[MAX_TENSORS];
static size_t source_count;

static void begin(bool normalize_before)
{
    const struct tolk_config config = small_config(normalize_before);
    folder = tolk_test_folder();
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    ck_assert_int_eq(tolk_model_create(&saved, &config, 7, &error), 0);
    for (size_t i = 0; i < saved.layout.size; i++) {
        saved.values[i] += (real)i / 1024;
    }
    ck_assert_int_eq(tolk_model_save(&saved, saved.values, folder, &error), 0);
    source_count = saved.layout.count;
    ck_assert_uint_lt(source_count, MAX_TENSORS - 4);
    for (size_t i = 0; i < source_count; i++) {
        const struct tolk_tensor *tensor = &saved.layout.tensors[i];
        sources[i] = (struct tolk_safetensor_source){.name = tensor->name,
                                                     .dtype = tolk_real_dtype,
                                                     .rank = tensor->rank,
                                                     .shape = tensor->shape,
                                                     .bytes = saved.values + tensor->offset,
                                                     .size = tensor->size * sizeof(real)};
    }
}

static void end(void)
{
    tolk_model_free(&saved);
    tolk_test_folder_remove(folder);
}

static void write_sources(void)
{
    ck_assert_int_eq(tolk_safetensors_write(path, sources, source_count, &error), 0);
}

static void check_loads(double tolerance)
{
    struct tolk_model model;
    ck_assert_msg(tolk_model_load(&model, folder, &error) == 0, "%s", error.message);
    ck_assert_uint_eq(model.layout.size, saved.layout.size);
    for (size_t i = 0; i < model.layout.size; i++) {
        ck_assert(fabs((double)(model.values[i] - saved.values[i])) <= tolerance);
    }
    ck_assert_ptr_eq(model.weights.shared, model.values);
    tolk_model_free(&model);
}

static void check_refused(const char *message)
{
    struct tolk_model model;
    ck_assert_msg(tolk_model_load(&model, folder, &error) == -1, "expected '%s'", message);
    ck_assert_msg(strstr(error.message, message) != NULL, "expected '%s', found '%s'", message,
                  error.message);
    ck_assert_msg(strstr(error.message, folder) != NULL, "%s", error.message);
    ck_assert_ptr_null(model.values);
}

START_TEST(loads_what_it_saved)
{
    for (int normalize_before = 0; normalize_before < 2; normalize_before++) {
        struct tolk_model model;
        begin(normalize_before);
        check_loads(0);
        ck_assert_int_eq(tolk_model_load(&model, folder, &error), 0);
        ck_assert_msg(model.mapping.bytes != NULL, "the file was not used in place");
        ck_assert(model.config.normalize_before == normalize_before);
        ck_assert_mem_eq(model.positions, saved.positions, 16 * 8 * sizeof(real));
        /* Written values are the process' own, and can be saved over the file they came from. */
        model.values[0] = 5;
        saved.values[0] = 5;
        ck_assert_int_eq(tolk_model_save(&model, model.values, folder, &error), 0);
        ck_assert(model.values[0] == 5);
        tolk_model_free(&model);
        check_loads(0);
        end();
    }
}
END_TEST

START_TEST(finds_tensors_in_any_order)
{
    begin(true);
    for (size_t i = 0; i < source_count / 2; i++) {
        const struct tolk_safetensor_source first = sources[i];
        sources[i] = sources[source_count - 1 - i];
        sources[source_count - 1 - i] = first;
    }
    write_sources();
    check_loads(0);
    end();
}
END_TEST

/* Rounding towards zero is good enough here. */
static uint16_t half_of(real value, bool brain)
{
    const float single = (float)value;
    uint32_t bits;
    memcpy(&bits, &single, sizeof bits);
    if (brain) {
        return (uint16_t)(bits >> 16);
    }
    const uint32_t sign = bits >> 16 & 0x8000;
    const float magnitude = fabsf(single);
    if (magnitude < 0x1p-14F) {
        return (uint16_t)(sign | (uint32_t)(magnitude * 0x1p24F));
    }
    return (uint16_t)(sign | (((bits & 0x7fffffff) >> 13) - (112U << 10)));
}

START_TEST(converts_other_number_types)
{
    static const char *const dtypes[] = {"F16", "BF16", "F64", "F32"};
    static const double tolerances[] = {0.001, 0.008, 1e-9, 1e-6};
    begin(false);
    for (size_t d = 0; d < 4; d++) {
        struct tolk_safetensor_source source = sources[0];
        const size_t count = saved.layout.tensors[0].size;
        double *wide = malloc(count * sizeof *wide);
        float *single = malloc(count * sizeof *single);
        uint16_t *half = malloc(count * sizeof *half);
        for (size_t i = 0; i < count; i++) {
            wide[i] = saved.values[i];
            single[i] = (float)saved.values[i];
            half[i] = half_of(saved.values[i], d == 1);
        }
        sources[0].dtype = dtypes[d];
        sources[0].bytes = d < 2 ? (void *)half : d == 2 ? (void *)wide : (void *)single;
        sources[0].size = count * (d < 2 ? 2 : d == 2 ? 8 : 4);
        write_sources();
        check_loads(tolerances[d]);
        sources[0] = source;
        free(half);
        free(single);
        free(wide);
    }
    end();
}
END_TEST

START_TEST(reads_every_kind_of_half)
{
    static const uint16_t halves[] = {0x0000, 0x8000, 0x0001, 0x83ff, 0x0400,
                                      0x3c00, 0xbc01, 0x7bff, 0x7c00};
    static const double expected[] = {0, -0.0,       0x1p-24, -0x1.ff8p-15, 0x1p-14,
                                      1, -0x1.004p0, 65504,   HUGE_VAL};
    real values[9];
    tolk_floats_read(values, (const unsigned char *)halves, "F16", 9);
    for (size_t i = 0; i < 9; i++) {
        ck_assert(values[i] == (real)expected[i]);
    }
    const uint16_t nan = 0x7e00;
    tolk_floats_read(values, (const unsigned char *)&nan, "F16", 1);
    ck_assert(isnan(values[0]));
}
END_TEST

static const size_t position_shape[] = {16, 8};

static void add_source(const char *name, const size_t *shape, const real *values, size_t size)
{
    sources[source_count++] = (struct tolk_safetensor_source){name,   tolk_real_dtype,    2, shape,
                                                              values, size * sizeof(real)};
}

START_TEST(accepts_tied_copies_and_positions)
{
    const size_t shared_size = 11 * 8;
    begin(true);
    add_source("lm_head.weight", sources[0].shape, saved.values, shared_size);
    add_source("model.encoder.embed_tokens.weight", sources[0].shape, saved.values, shared_size);
    add_source("model.decoder.embed_positions.weight", position_shape, saved.positions, 16 * 8);
    write_sources();
    check_loads(0);
    /* The same without the name that others are copies of. */
    sources[0] = sources[--source_count];
    write_sources();
    check_loads(0);
    end();
}
END_TEST

START_TEST(refuses_untied_copies)
{
    real copy[11 * 8];
    begin(true);
    memcpy(copy, saved.values, sizeof copy);
    copy[87] += 1;
    add_source("lm_head.weight", sources[0].shape, copy, 11 * 8);
    write_sources();
    check_refused("lm_head.weight: expected a copy of model.shared.weight (tied embeddings)");
    sources[source_count - 1].shape = (const size_t[]){8, 11};
    write_sources();
    check_refused("lm_head.weight: expected the shape [11, 8] by config.json, found [8, 11]");
    end();
}
END_TEST

START_TEST(refuses_other_positions)
{
    real interleaved[16 * 8];
    begin(true);
    for (size_t i = 0; i < 16 * 8; i++) {
        interleaved[i] = saved.positions[i / 8 * 8 + i % 2 * 4 + i % 8 / 2];
    }
    add_source("model.encoder.embed_positions.weight", position_shape, interleaved, 16 * 8);
    write_sources();
    check_refused("model.encoder.embed_positions.weight: expected the sinusoidal position ");
    end();
}
END_TEST

START_TEST(refuses_what_does_not_fit)
{
    const size_t transposed[] = {8, 6};
    begin(true);
    const struct tolk_tensor *fc1 =
        tolk_layout_find(&saved.layout, "model.encoder.layers.0.fc1.weight");
    struct tolk_safetensor_source *source = &sources[fc1 - saved.layout.tensors];
    source->shape = transposed;
    write_sources();
    check_refused("/model.safetensors: model.encoder.layers.0.fc1.weight: expected the shape "
                  "[6, 8] by config.json, found [8, 6]");
    source->shape = fc1->shape;
    source->dtype = tolk_real_dtype[1] == '3' ? "I32" : "I64";
    write_sources();
    check_refused("fc1.weight: expected F32, F16, BF16 or F64, found I");
    source->dtype = tolk_real_dtype;
    source->name = "model.encoder.layers.0.fc3.weight";
    write_sources();
    check_refused("model.encoder.layers.0.fc1.weight: the tensor is missing, expected as [6, 8]");
    source->name = fc1->name;
    add_source("model.encoder.layers.1.fc1.weight", fc1->shape, source->bytes, fc1->size);
    add_source("stranger", fc1->shape, source->bytes, fc1->size);
    write_sources();
    check_refused("expected no tensors beside those of config.json, found 2: "
                  "model.encoder.layers.1.fc1.weight, stranger");
    end();
}
END_TEST

START_TEST(refuses_missing_and_foreign_files)
{
    char config_path[4200];
    size_t size;
    begin(true);
    tolk_test_write(path, "PK\3\4 a zip archive", 18);
    check_refused("model.safetensors: expected a safetensors file");
    ck_assert_int_eq(remove(path), 0);
    check_refused("model.safetensors: cannot open: No such file or directory");
    snprintf(config_path, sizeof config_path, "%s/config.json", folder);
    char *text = tolk_test_read(config_path, &size);
    tolk_test_write(config_path, text, size / 2);
    check_refused("expected JSON, found: ");
    free(text);
    ck_assert_int_eq(remove(config_path), 0);
    check_refused("config.json: cannot open: No such file or directory");
    end();
}
END_TEST

START_TEST(keeps_the_old_model_when_a_save_fails)
{
    struct rlimit limit;
    begin(true);
    real *others = calloc(saved.layout.size, sizeof *others);
    signal(SIGXFSZ, SIG_IGN);
    /* Check itself writes a file, too: the limit holds for the save alone. */
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 2048;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const int result = tolk_model_save(&saved, others, folder, &error);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(result, -1);
    ck_assert_ptr_nonnull(strstr(error.message, "model.safetensors.tmp: cannot write: "));
    check_loads(0);
    free(others);
    end();
}
END_TEST

START_TEST(positions_are_halves)
{
    real *positions = tolk_positions_make(4, 6);
    const double third = 3 / pow(10000, 4.0 / 6);
    ck_assert(positions[0] == 0 && positions[2] == 0 && positions[3] == 1 && positions[5] == 1);
    ck_assert_double_eq_tol((double)positions[3 * 6], sin(3), 1e-7);
    ck_assert_double_eq_tol((double)positions[3 * 6 + 2], sin(third), 1e-7);
    ck_assert_double_eq_tol((double)positions[3 * 6 + 5], cos(third), 1e-7);
    free(positions);
}
END_TEST

TOLK_SUITE("load", loads_what_it_saved, finds_tensors_in_any_order, converts_other_number_types,
           reads_every_kind_of_half, accepts_tied_copies_and_positions, refuses_untied_copies,
           refuses_other_positions, refuses_what_does_not_fit, refuses_missing_and_foreign_files,
           keeps_the_old_model_when_a_save_fails, positions_are_halves)
