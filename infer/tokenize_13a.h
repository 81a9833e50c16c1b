/* The tokenizer of mteval-v13a, as sacreBLEU's "13a" has it: scores compare only between equal
 * tokenizers. */
#ifndef TOLK_INFER_TOKENIZE_13A_H
#define TOLK_INFER_TOKENIZE_13A_H

/* The words of `text` with one space between them, in fresh memory; NULL when there is none.
 * `The "1,000.5" &amp; he's in.` becomes `The " 1,000.5 " & he's in .` */
char *tolk_tokenize_13a(const char *text);

#endif
