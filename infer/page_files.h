/* The files of infer/page/, as the program carries them. */
#ifndef TOLK_INFER_PAGE_FILES_H
#define TOLK_INFER_PAGE_FILES_H

/* The page, in which {{style}}, {{script}} and {{data}} stand for the rest. */
extern const char tolk_page_html[];
extern const char tolk_page_css[];

/* The scripts in the order in which they follow each other, NULL at the end. */
extern const char *const tolk_page_scripts[];

#endif
