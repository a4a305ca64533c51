/* A file of the repository as a part of the program: CARRY(symbol, "path from the root") makes it a
 * NUL-terminated text.
 */
#ifndef PLUGIN_CARRY_H
#define PLUGIN_CARRY_H

#define CARRY(symbol, file)                                                                        \
    __asm__(".pushsection .rodata\n"                                                               \
            ".global " #symbol "\n" #symbol ":\n"                                                  \
            ".incbin \"" file "\"\n"                                                               \
            ".byte 0\n"                                                                            \
            ".popsection\n");                                                                      \
    extern const char symbol[]

#endif
