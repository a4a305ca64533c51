/* What every part of operator/ works with. All borrowed; main.c and manager.c own them. */
#ifndef OPERATOR_RUNTIME_H
#define OPERATOR_RUNTIME_H

#include "kube/client.h"
#include "net/websocket.h"
#include "operator/caches.h"
#include "operator/gateway.h"
#include "operator/inventories.h"
#include "operator/leader.h"
#include "operator/memories.h"
#include "operator/metrics.h"
#include "operator/options.h"
#include "operator/queue.h"
#include "operator/recorder.h"
#include "operator/watches.h"

struct runtime {
    const struct options *options;
    struct loop *loop;
    struct kube_client *kube;
    struct gateway *gateway;
    struct websockets *websockets;
    struct metrics *metrics;
    struct recorder *recorder;
    struct leader *leader;
    struct queue *queue;
    struct caches *caches;
    struct watches *watches;
    struct memories *memories;
    struct inventories *inventories;
    size_t trials; /* of keys over WebSocket, under way */
    bool stopping; /* begin nothing new; finish what can't be lost */
};

/* May this process write now? Asked before every write. */
bool runtime_may_write(const struct runtime *runtime);

#endif
