#include "infer/page.h"

#include <math.h>
#include <stdio.h>

/* [[id, log p], …] of one row. */
static json_t *continuations(const struct tolk_recorded_step *step, size_t row)
{
    json_t *const list = json_array();
    for (size_t i = 0; i < step->continuation_count; i++) {
        const struct tolk_candidate *const candidate =
            &step->continuations[row * step->continuation_count + i];
        json_array_append_new(list,
                              json_pack("[i, f]", (int)candidate->id, candidate->log_probability));
    }
    return list;
}

static json_t *step_json(const struct tolk_page_pair *pair, size_t t)
{
    const struct tolk_recorded_step *const step = &pair->record->steps[t];
    json_t *const rows = json_array();
    for (size_t row = 0; row < step->rows; row++) {
        json_array_append_new(rows, continuations(step, row));
    }
    json_t *const chosen = json_array();
    for (size_t i = 0; i < step->chosen_count; i++) {
        const struct tolk_candidate *const candidate = &step->chosen[i];
        json_t *const followed = json_pack(
            "{s:I, s:i, s:f, s:f}", "row", (json_int_t)candidate->row, "id", (int)candidate->id,
            "log_probability", candidate->log_probability, "score", candidate->score);
        if (candidate->id == pair->record->config->eos_token_id && pair->search != NULL) {
            const double length = pow((double)(t + 1), pair->search->length_penalty);
            json_object_set_new(followed, "normalised_score", json_real(candidate->score / length));
        }
        json_array_append_new(chosen, followed);
    }
    return json_pack("{s:o, s:o}", "continuations", rows, "chosen", chosen);
}

json_t *tolk_page_search_json(const struct tolk_page_pair *pair)
{
    json_t *const search = json_object();
    json_object_set_new(search, "given", json_boolean(pair->given));
    if (pair->search != NULL) {
        json_object_set_new(search, "beam", json_integer((json_int_t)pair->search->beam));
        json_object_set_new(search, "length_penalty", json_real(pair->search->length_penalty));
    }
    json_t *const ids = json_array();
    for (size_t i = 0; i <= pair->target->pieces; i++) {
        json_array_append_new(ids, json_integer(pair->target->ids[i]));
    }
    json_object_set_new(search, "ids", ids);
    json_t *const steps = json_array();
    for (size_t t = 0; t < pair->record->count; t++) {
        json_array_append_new(steps, step_json(pair, t));
    }
    json_object_set_new(search, "steps", steps);
    return search;
}

static void add_pieces(json_t *pieces, const struct tolk_codec *codec,
                       const struct tolk_candidate *candidates, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char key[16];
        const char *const piece = tolk_codec_piece(codec, candidates[i].id);
        snprintf(key, sizeof key, "%d", (int)candidates[i].id);
        json_object_set_new(pieces, key, json_string(piece == NULL ? "" : piece));
    }
}

json_t *tolk_page_pieces_json(const struct tolk_search_record *record,
                              const struct tolk_codec *codec)
{
    json_t *const pieces = json_object();
    for (size_t t = 0; t < record->count; t++) {
        const struct tolk_recorded_step *const step = &record->steps[t];
        add_pieces(pieces, codec, step->continuations, step->rows * step->continuation_count);
        add_pieces(pieces, codec, step->chosen, step->chosen_count);
    }
    return pieces;
}
