/* The version, given by the Makefile as -DDEEPGRAM_OPERATOR_VERSION='"1.2.3"'. */
#ifndef OPERATOR_VERSION_H
#define OPERATOR_VERSION_H

#ifndef DEEPGRAM_OPERATOR_VERSION
#define DEEPGRAM_OPERATOR_VERSION "dev"
#endif

#endif
