#include "infer/page_files.h"

#include <stddef.h>

/* The bytes of a file, and a NUL behind them. Paths are those of the build, from the top folder. */
#define EMBED(symbol, path)                                                                        \
    __asm__(".pushsection .rodata\n"                                                               \
            ".globl " #symbol "\n" #symbol ":\n"                                                   \
            ".incbin \"infer/page/" path "\"\n"                                                    \
            ".byte 0\n"                                                                            \
            ".popsection\n")

EMBED(tolk_page_html, "page.html");
EMBED(tolk_page_css, "page.css");
EMBED(tolk_page_data_js, "data.js");
EMBED(tolk_page_dom_js, "dom.js");
EMBED(tolk_page_lines_js, "lines.js");
EMBED(tolk_page_matrix_js, "matrix.js");
EMBED(tolk_page_picker_js, "picker.js");
EMBED(tolk_page_decoding_js, "decoding.js");
EMBED(tolk_page_arithmetic_js, "arithmetic.js");
EMBED(tolk_page_corpus_js, "corpus.js");
EMBED(tolk_page_page_js, "page.js");

extern const char tolk_page_data_js[], tolk_page_dom_js[], tolk_page_lines_js[],
    tolk_page_matrix_js[], tolk_page_picker_js[], tolk_page_decoding_js[],
    tolk_page_arithmetic_js[], tolk_page_corpus_js[], tolk_page_page_js[];

const char *const tolk_page_scripts[] = {
    tolk_page_data_js,       tolk_page_dom_js,
    tolk_page_lines_js,      tolk_page_matrix_js,
    tolk_page_picker_js,     tolk_page_decoding_js,
    tolk_page_arithmetic_js, tolk_page_corpus_js,
    tolk_page_page_js,       NULL,
};
