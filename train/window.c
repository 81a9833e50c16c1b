#include "train/window.h"

#include <math.h>

void tolk_window_add(struct tolk_window *window, const struct tolk_update *update, double seconds)
{
    window->loss += update->loss * (double)update->target_tokens;
    window->smoothed_loss += update->smoothed_loss * (double)update->target_tokens;
    window->guided_loss += update->guided_loss * (double)update->guided_rows;
    window->guided_rows += update->guided_rows;
    window->norm += update->norm;
    window->seconds += seconds;
    window->target_tokens += update->target_tokens;
    window->tokens += update->tokens;
    window->updates++;
}

struct tolk_log_record tolk_window_record(const struct tolk_window *window,
                                          const struct tolk_cursor *cursor, double rate)
{
    return (struct tolk_log_record){
        .type = TOLK_LOG_UPDATE,
        .update = cursor->update,
        .epoch = cursor->epoch,
        .seconds = cursor->seconds,
        .loss = window->loss / (double)window->target_tokens,
        .smoothed_loss = window->smoothed_loss / (double)window->target_tokens,
        .guided_loss =
            window->guided_rows > 0 ? window->guided_loss / (double)window->guided_rows : NAN,
        .learning_rate = rate,
        .gradient_norm = window->norm / (double)window->updates,
        .tokens_per_second = (double)window->tokens / window->seconds,
        .tokens = cursor->tokens,
        .skipped = cursor->skipped,
    };
}
