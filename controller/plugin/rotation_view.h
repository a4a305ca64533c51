/* How far the rotation of a rotate token has come, told from the resource alone. Pure.
 */
#ifndef PLUGIN_ROTATION_VIEW_H
#define PLUGIN_ROTATION_VIEW_H

#include "api/resource.h"
#include "base/buf.h"

enum rotation_stage {
    ROTATION_ASKED,     /* the operator hasn't answered yet */
    ROTATION_STUCK,     /* nor will it before a person acts: suspended, or stalled */
    ROTATION_PUBLISHED, /* the new credential is published; pods may hold the old one */
    ROTATION_DONE,      /* and no pod does, as far as the operator says */
    ROTATION_TAKEN_BACK /* pods failed on it: the old one is published again */
};

/* Replaces *text by a line for a person. */
NODISCARD enum rotation_stage rotation_view(const struct resource *resource, const char *token,
                                            struct buf *text);

#endif
