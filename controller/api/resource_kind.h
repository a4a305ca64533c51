/* The two kinds of custom resource and what their names are. Pure. */
#ifndef API_RESOURCE_KIND_H
#define API_RESOURCE_KIND_H

enum resource_kind { RESOURCE_API_KEY, RESOURCE_PULL_SECRET, RESOURCE_KINDS };

/* "DeepgramApiKey", "DeepgramPullSecret". */
const char *resource_kind_name(enum resource_kind kind);
/* "dgkey", "dgpull": the short name, also of revision Secrets. */
const char *resource_kind_short_name(enum resource_kind kind);

#endif
