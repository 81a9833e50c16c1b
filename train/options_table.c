#include "train/options_table.h"

#include "train/options.h"

#define AT(field) offsetof(struct tolk_training_options, field)
#define FIXED true
#define FREE false

#define BILLION 1e9

const struct tolk_option_row TOLK_OPTION_ROWS[] = {
    {GROUP, FREE, NULL, 0, NULL, 0, 0, NULL, "Files"},
    {TEXT, FREE, "output", AT(output), NULL, 0, 0, "DIR", "-o: the model directory"},
    {TEXT, FREE, "train", AT(train), NULL, 0, 0, "TSV", "pairs: source, tab, target"},
    {TEXT, FREE, "train-source", AT(train_source), NULL, 0, 0, "FILE",
     "or two files, line by line"},
    {TEXT, FREE, "train-target", AT(train_target), NULL, 0, 0, "FILE", "(gzip too)"},
    {TEXT, FREE, "dev", AT(dev), NULL, 0, 0, "TSV", "pairs to validate on"},
    {TEXT, FREE, "dev-source", AT(dev_source), NULL, 0, 0, "FILE", "or two files"},
    {TEXT, FREE, "dev-target", AT(dev_target), NULL, 0, 0, "FILE", "(gzip too)"},
    {FLAG, FREE, "skip-bad", AT(skip_bad), NULL, 0, 0, NULL,
     "count and skip bad lines, do not stop"},
    {FLAG, FREE, "restart", AT(restart), NULL, 0, 0, NULL, "begin anew, do not resume"},
    {TEXT, FREE, "source-language", AT(source_language), NULL, 0, 0, "CODE", "nl, for example"},
    {TEXT, FREE, "target-language", AT(target_language), NULL, 0, 0, "CODE", "en, for example"},
    {TEXT, FREE, "licence", AT(licence), NULL, 0, 0, "NAME", "licence line of the model card"},
    {TEXT, FREE, "data-note", AT(data_note), NULL, 0, 0, "TEXT",
     "the model card's words on the data"},

    {GROUP, FREE, NULL, 0, NULL, 0, 0, NULL, "Model"},
    {WHOLE, FIXED, "d-model", AT(d_model), "256", 2, 8192, "N", "width"},
    {WHOLE, FIXED, "heads", AT(heads), "4", 1, 64, "N", "attention heads; divides the width"},
    {WHOLE, FIXED, "ffn", AT(ffn), "1024", 1, 65536, "N", "width of the feed-forward"},
    {WHOLE, FIXED, "encoder-layers", AT(encoder_layers), "3", 1, 64, "N", ""},
    {WHOLE, FIXED, "decoder-layers", AT(decoder_layers), "3", 1, 64, "N", ""},
    {FLAG, FIXED, "post-norm", AT(post_norm), NULL, 0, 0, NULL, "MarianMT layout, not Pegasus"},
    {CHOICE, FIXED, "activation", AT(activation), "relu", 0, 0, "relu|swish|gelu", ""},
    {NUMBER, FIXED, "dropout", AT(dropout), "0.1", 0, 0.95, "RATE", "of embeddings and sublayers"},
    {NUMBER, FIXED, "attention-dropout", AT(attention_dropout), "0", 0, 0.95, "RATE", ""},
    {NUMBER, FIXED, "activation-dropout", AT(activation_dropout), "0", 0, 0.95, "RATE", ""},

    {GROUP, FREE, NULL, 0, NULL, 0, 0, NULL, "Tokenizer"},
    {CHOICE, FIXED, "tokenizer", AT(tokenizer), "unigram", 0, 0, "unigram|bpe", ""},
    {WHOLE, FIXED, "vocab-size", AT(vocab_size), "0", 0, 1000000, "N",
     "pieces of both languages; 0: 4000, or what a small corpus gives"},
    {NUMBER, FIXED, "character-coverage", AT(character_coverage), "1", 0.98, 1, "SHARE", ""},
    {NUMBER, FIXED, "subword-alpha", AT(subword_alpha), "0", 0, 10, "ALPHA",
     "sample segmentations anew each epoch; 0: do not"},
    {WHOLE, FIXED, "subword-nbest", AT(subword_nbest), "-1", -1, 512, "N",
     "among the N best; -1: among all"},

    {GROUP, FREE, NULL, 0, NULL, 0, 0, NULL, "Training"},
    {WHOLE, FIXED, "batch-tokens", AT(batch_tokens), "4096", 8, BILLION, "N",
     "source and target tokens of a batch"},
    {WHOLE, FIXED, "accumulate", AT(accumulate), "1", 1, 10000, "N", "batches in an update"},
    {WHOLE, FIXED, "max-length", AT(max_length), "128", 2, 100000, "N",
     "leave out pairs with more pieces on a side"},
    {WHOLE, FIXED, "pool", AT(pool), "8192", 1, BILLION, "N",
     "sentences sorted by length together"},
    {NUMBER, FIXED, "learning-rate", AT(learning_rate), "0.002", 0, 10, "RATE", "the peak"},
    {WHOLE, FIXED, "warmup", AT(warmup), "600", 0, BILLION, "UPDATES", "linear rise to the peak"},
    {CHOICE, FIXED, "schedule", AT(schedule), "inverse-sqrt", 0, 0,
     "inverse-sqrt|cosine|linear|constant", "behind the peak"},
    {NUMBER, FIXED, "cooldown", AT(cooldown), "0.2", 0, 1, "SHARE",
     "last part of the budget in which the rate falls to 0"},
    {NUMBER, FIXED, "beta1", AT(beta1), "0.9", 0, 0.99999, "BETA", "Adam's"},
    {NUMBER, FIXED, "beta2", AT(beta2), "0.98", 0, 0.9999999, "BETA", ""},
    {NUMBER, FIXED, "epsilon", AT(epsilon), "1e-9", 1e-20, 1, "EPS", ""},
    {NUMBER, FIXED, "weight-decay", AT(weight_decay), "0", 0, 10, "RATE", "decoupled, of matrices"},
    {NUMBER, FIXED, "clip", AT(clip), "1", 0, 1e9, "NORM", "of the gradient; 0: no clipping"},
    {NUMBER, FIXED, "label-smoothing", AT(label_smoothing), "0.1", 0, 0.99, "SHARE", ""},
    {NUMBER, FIXED, "average", AT(average), "0.999", 0, 0.9999999, "DECAY",
     "of the moving average of the weights"},
    {WHOLE, FIXED, "seed", AT(seed), "1", 0, 9e15, "N", ""},
    {WHOLE, FREE, "threads", AT(threads), "0", 0, 1024, "N", "0: as many as the machine has"},

    {GROUP, FREE, NULL, 0, NULL, 0, 0, NULL, "Until when (whichever comes first; 0: no limit)"},
    {WHOLE, FREE, "updates", AT(updates), "0", 0, BILLION, "N", ""},
    {WHOLE, FREE, "epochs", AT(epochs), "0", 0, BILLION, "N", ""},
    {NUMBER, FREE, "minutes", AT(minutes), "0", 0, 1e7, "M", "of training, over all runs"},
    {WHOLE, FREE, "patience", AT(patience), "10", 0, BILLION, "N",
     "validations without a new best"},

    {GROUP, FREE, NULL, 0, NULL, 0, 0, NULL, "Validation"},
    {WHOLE, FREE, "validate-every", AT(validate_every), "500", 1, BILLION, "UPDATES", ""},
    {WHOLE, FREE, "validate-sentences", AT(validate_sentences), "500", 0, BILLION, "N",
     "translate the first N pairs of dev; 0: all"},
    {CHOICE, FREE, "best", AT(best), "bleu", 0, 0, "bleu|loss", "what the best model is best by"},
    {WHOLE, FREE, "log-every", AT(log_every), "50", 1, BILLION, "UPDATES", ""},
    {FLAG, FREE, "help", AT(help), NULL, 0, 0, NULL, "this text"},
};

const size_t TOLK_OPTION_COUNT = sizeof TOLK_OPTION_ROWS / sizeof TOLK_OPTION_ROWS[0];
_Static_assert(sizeof TOLK_OPTION_ROWS / sizeof TOLK_OPTION_ROWS[0] < TOLK_OPTION_MOST,
               "tables of options have too little room");
