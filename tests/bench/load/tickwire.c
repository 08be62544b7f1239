/* tickwire, as in PROTOCOL.md: JOIN, then one INPUT per tick. */
#include "load.h"

#include <string.h>

enum { JOIN = 1, INPUT = 3, WELCOME = 1, SNAPSHOT_KIND = 2 };
/* Inputs are sent for this many ticks after the newest snapshot's, and re-aimed outside the slack. */
enum { LEAD = 2, SLACK = 3 };

static const uint8_t *end; /* of the message being read */

static uint64_t big_endian(const uint8_t *at, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

/* Read an unsigned msgpack integer; return the byte after it. */
static const uint8_t *read_uint(const uint8_t *at, uint64_t *value) {
    if (*at < 0x80) {
        *value = *at;
        return at + 1;
    }
    if (*at < 0xcc || *at > 0xcf)
        fail("expected an unsigned integer, not the msgpack byte 0x%02x", *at);
    int bytes = 1 << (*at - 0xcc);
    *value = big_endian(at + 1, bytes);
    return at + 1 + bytes;
}

/* Bytes of the head (with the content, unless it is an array or map), and how many items follow. */
static size_t measure(const uint8_t *at, uint64_t *items) {
    static const uint8_t fixed[] = {[0x0a] = 5, [0x0b] = 9, [0x0c] = 2, [0x0d] = 3, [0x0e] = 5, [0x0f] = 9,
                                    [0x10] = 2, [0x11] = 3, [0x12] = 5, [0x13] = 9};
    uint8_t b = *at;
    *items = 0;
    if (b < 0x80 || b >= 0xe0)
        return 1;
    if (b < 0x90)
        return *items = 2 * (b & 15), 1;
    if (b < 0xa0)
        return *items = b & 15, 1;
    if (b < 0xc0)
        return 1 + (b & 31);
    if (b < 0xc4)
        return 1;
    if (b < 0xc7)
        return 1 + (1 << (b - 0xc4)) + big_endian(at + 1, 1 << (b - 0xc4));
    if (b >= 0xca && b < 0xd4)
        return fixed[b - 0xc0];
    if (b >= 0xd9 && b < 0xdc)
        return 1 + (1 << (b - 0xd9)) + big_endian(at + 1, 1 << (b - 0xd9));
    if (b < 0xdc)
        fail("PROTOCOL.md has no ext types, got the msgpack byte 0x%02x", b);
    int bytes = b & 1 ? 4 : 2;
    *items = big_endian(at + 1, bytes) * (b >= 0xde ? 2 : 1);
    return 1 + bytes;
}

static const uint8_t *skip(const uint8_t *at) {
    uint64_t pending = 1, items;
    while (pending--) {
        if (at >= end)
            fail("a server message ends early");
        at += measure(at, &items);
        pending += items;
    }
    return at;
}

/* The value of a key in the map that starts at `at`. */
static const uint8_t *find(const uint8_t *at, const char *key) {
    uint64_t items;
    size_t len = strlen(key);
    for (at += measure(at, &items); items; items -= 2) {
        bool here = at[0] == (0xa0 | len) && !memcmp(at + 1, key, len);
        at = skip(at);
        if (here)
            return at;
        at = skip(at);
    }
    fail("WELCOME has no key \"%s\"", key);
}

static uint8_t *write_text(uint8_t *out, const char *text) {
    size_t len = strlen(text);
    *out++ = 0xd9;
    *out++ = len;
    memcpy(out, text, len);
    return out + len;
}

static void open_tickwire(struct client *client) { upgrade(client, "/ws"); }

static void join_room(struct client *client) {
    uint8_t message[256] = {0x96, JOIN, 1}, *out = message + 3;
    out = write_text(out, client->creates ? "create" : "id");
    out = write_text(out, client->creates ? settings.room_type : client->room->id);
    *out++ = 0xc0; /* no schema hash: any schema will do */
    *out++ = 0x80; /* no options */
    send_message(client, message, out - message);
}

static void welcomed(struct client *client, const uint8_t *map) {
    uint64_t tick;
    const uint8_t *room = find(map, "room");
    size_t head = *room == 0xd9 ? 2 : 1, len = skip(room) - room - head;
    if (len >= sizeof client->room->id)
        fail("the room id has %zu bytes", len);
    memcpy(client->room->id, room + head, len);
    read_uint(find(map, "tick"), &tick);
    client->next_tick = tick + LEAD;
}

static void follow(struct client *client, uint32_t tick) {
    int32_t ahead = client->next_tick - tick;
    if (ahead < 1 || ahead > LEAD + SLACK)
        client->next_tick = tick + LEAD;
}

static enum message on_tickwire(struct client *client, const uint8_t *data, size_t len) {
    uint64_t kind, tick, items;
    end = data + len;
    const uint8_t *at = read_uint(data + measure(data, &items), &kind);
    if (client->state == JOINING && kind == WELCOME) {
        welcomed(client, at);
        return JOINED;
    }
    if (kind != SNAPSHOT_KIND)
        return OTHER;
    read_uint(at, &tick);
    follow(client, tick);
    return SNAPSHOT;
}

static size_t input_tickwire(struct client *client, uint8_t *out) {
    uint32_t choice = next_random(client), tick = client->next_tick++;
    size_t at = 2;
    out[0] = 0x94;
    out[1] = INPUT;
    if (tick < 0x80) {
        out[at++] = tick;
    } else {
        int bytes = tick < 0x100 ? 1 : tick < 0x10000 ? 2 : 4;
        out[at++] = 0xcb + (bytes == 4 ? 3 : bytes);
        for (int i = bytes - 1; i >= 0; i--)
            out[at++] = tick >> 8 * i;
    }
    out[at++] = choice % 17;    /* turn: 16 steps of 1/8 from -1 to 1 */
    out[at++] = choice >> 8 & 1; /* thrust */
    return at;
}

const struct protocol tickwire = {
    .name = "tickwire",
    .websocket = true,
    .open = open_tickwire,
    .on_upgraded = join_room,
    .on_message = on_tickwire,
    .input = input_tickwire,
};
