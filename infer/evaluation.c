#include "infer/evaluation.h"

#include <jansson.h>
#include <string.h>

#include "infer/print.h"

int tolk_evaluation_add(struct tolk_evaluation *evaluation, const char *translation,
                        const char *reference, struct tolk_error *error)
{
    evaluation->sentences++;
    evaluation->exact += strcmp(translation, reference) == 0;
    return tolk_bleu_add(&evaluation->bleu, translation, reference, error) == 0
               ? tolk_chrf_add(&evaluation->chrf, translation, reference, error)
               : -1;
}

static double exact_rate(const struct tolk_evaluation *evaluation)
{
    return evaluation->sentences > 0
               ? 100.0 * (double)evaluation->exact / (double)evaluation->sentences
               : 0;
}

static int print_json(const struct tolk_evaluation *evaluation, FILE *out, struct tolk_error *error)
{
    json_t *const object = json_object();
    json_object_set_new(object, "sentences", json_integer((json_int_t)evaluation->sentences));
    json_object_set_new(object, "bleu", json_real(tolk_bleu_score(&evaluation->bleu)));
    json_object_set_new(object, "bleu_signature", json_string(TOLK_BLEU_SIGNATURE));
    json_object_set_new(object, "chrf", json_real(tolk_chrf_score(&evaluation->chrf)));
    json_object_set_new(object, "chrf_signature", json_string(TOLK_CHRF_SIGNATURE));
    json_object_set_new(object, "exact", json_real(exact_rate(evaluation)));
    if (evaluation->aligned > 0) {
        const struct tolk_aer *const aer = &evaluation->aer;
        json_object_set_new(object, "aligned", json_integer((json_int_t)evaluation->aligned));
        json_object_set_new(object, "aer", json_real(tolk_aer_rate(aer)));
        json_object_set_new(object, "precision", json_real(tolk_aer_precision(aer)));
        json_object_set_new(object, "recall", json_real(tolk_aer_recall(aer)));
    }
    if (evaluation->heads != NULL &&
        json_object_set_new(object, "heads", tolk_head_table_json(evaluation->heads)) != 0) {
        json_decref(object);
        return tolk_error_set(error, "out of memory for a table of heads");
    }
    return tolk_print_json(object, out, error);
}

int tolk_evaluation_print(const struct tolk_evaluation *evaluation, bool json, FILE *out,
                          struct tolk_error *error)
{
    if (json) {
        return print_json(evaluation, out, error);
    }
    fprintf(out, "BLEU   %6.2f  %s\n", tolk_bleu_score(&evaluation->bleu), TOLK_BLEU_SIGNATURE);
    fprintf(out, "chrF   %6.2f  %s\n", tolk_chrf_score(&evaluation->chrf), TOLK_CHRF_SIGNATURE);
    fprintf(out, "exact  %6.2f  %zu of %zu sentences\n", exact_rate(evaluation), evaluation->exact,
            evaluation->sentences);
    if (evaluation->aligned > 0) {
        fprintf(out, "AER    %6.4f  precision %.4f, recall %.4f, %zu pairs with gold\n",
                tolk_aer_rate(&evaluation->aer), tolk_aer_precision(&evaluation->aer),
                tolk_aer_recall(&evaluation->aer), evaluation->aligned);
    }
    if (evaluation->heads != NULL) {
        tolk_head_table_print(evaluation->heads, out);
    }
    return 0;
}
