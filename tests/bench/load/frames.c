/* RFC 6455 framing, client side. Frames that arrive are split and counted; payloads are not copied. */
#include "load.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9 };

size_t mask_frame(uint8_t *out, int opcode, const uint8_t *payload, size_t len, uint32_t key) {
    size_t at = 2;
    out[0] = 0x80 | opcode;
    if (len < 126) {
        out[1] = 0x80 | len;
    } else {
        out[1] = 0x80 | 126;
        out[2] = len >> 8;
        out[3] = len;
        at = 4;
    }
    uint8_t mask[4];
    memcpy(mask, &key, 4);
    memcpy(out + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < len; i++)
        out[at + i] = payload[i] ^ mask[i & 3];
    return at + len;
}

void send_bytes(struct client *client, const void *data, size_t len) {
    ssize_t wrote = write(client->fd, data, len);
    if (wrote != (ssize_t)len)
        fail("the server stopped reading: %zd of %zu bytes written (%s)", wrote, len, strerror(errno));
}

void send_message(struct client *client, const uint8_t *payload, size_t len) {
    uint8_t frame[1024];
    if (len > sizeof frame - 14)
        fail("a client message of %zu bytes is too long", len);
    send_bytes(client, frame, mask_frame(frame, BINARY, payload, len, next_random(client)));
}

static void on_frame(struct client *client, int opcode, const uint8_t *payload, size_t len, uint64_t at_ns) {
    uint8_t pong[256];
    switch (opcode) {
    case CLOSE:
        fail("the server closed a connection: code %d, \"%.*s\"", len >= 2 ? payload[0] << 8 | payload[1] : 1005,
             len > 2 ? (int)len - 2 : 0, (const char *)payload + 2);
    case PING:
        send_bytes(client, pong, mask_frame(pong, 10, payload, len, next_random(client)));
        return;
    case TEXT:
        fail("unexpected text message \"%.*s\"", (int)len, (const char *)payload);
    case 0: /* the rest of a fragmented message: its bytes count, its kind was in the first frame */
    case BINARY:
        count_message(client, payload, len, at_ns);
    }
}

/* Handle all whole frames in data; return how many bytes they took. */
size_t split_frames(struct client *client, const uint8_t *data, size_t len, uint64_t at_ns) {
    size_t at = 0;
    while (len - at >= 2) {
        const uint8_t *head = data + at;
        size_t size = head[1] & 0x7f, head_len = size == 126 ? 4 : size == 127 ? 10 : 2;
        if (head[1] & 0x80)
            fail("the server masked a frame");
        if (len - at < head_len)
            break;
        if (head_len > 2)
            for (size_t i = size = 0; i < head_len - 2; i++)
                size = size << 8 | head[2 + i];
        if (len - at - head_len < size)
            break;
        on_frame(client, head[0] & 0x0f, head + head_len, size, at_ns);
        at += head_len + size;
    }
    return at;
}
