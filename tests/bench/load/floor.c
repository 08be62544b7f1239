/* The C floor: no handshake, no framing but a length. See ../peers/floor.c. */
#include "load.h"

#include <string.h>

static void open_floor(struct client *client) {
    connect_client(client, JOINING);
    joined(client);
}

static enum message on_floor(struct client *client, const uint8_t *data, size_t len) {
    (void)client, (void)data, (void)len;
    return SNAPSHOT;
}

static size_t input_floor(struct client *client, uint8_t *out) {
    uint32_t choice = next_random(client);
    memset(out, 0, 12); /* as long as a tickwire input in its masked frame */
    memcpy(out, &choice, sizeof choice);
    return 12;
}

const struct protocol floor_protocol = {
    .name = "floor",
    .open = open_floor,
    .on_message = on_floor,
    .input = input_floor,
};
