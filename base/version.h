/* The version of the programs, as --version prints it. */
#ifndef TOLK_BASE_VERSION_H
#define TOLK_BASE_VERSION_H

#define TOLK_VERSION "0.1.0"

#endif
