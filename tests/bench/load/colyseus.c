/* Colyseus 0.18: matchmaking over HTTP, then the WebSocket, then one ROOM_DATA message per tick. */
#include "load.h"

#include <stdio.h>
#include <string.h>

enum { JOIN_ROOM = 10, ERROR = 11, ROOM_DATA = 13, ROOM_STATE_PATCH = 15, CODE = 0x1f };

static void open_colyseus(struct client *client) {
    char request[512];
    int len = snprintf(request, sizeof request,
                       "POST /matchmake/%s/%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                       "Content-Length: 2\r\nConnection: close\r\n\r\n{}",
                       client->creates ? "create" : "joinById",
                       client->creates ? settings.room_type : client->room->id, settings.port);
    connect_client(client, MATCHING);
    send_bytes(client, request, len);
}

/* Copy the text value of a JSON key; the answer is flat and its values have no escapes. */
static void json_text(const char *json, const char *key, char *out, size_t size) {
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":\"", key);
    const char *from = strstr(json, quoted), *to = from ? strchr(from + strlen(quoted), '"') : NULL;
    if (!to || (size_t)(to - from) - strlen(quoted) >= size)
        fail("matchmaking answered without \"%s\": %s", key, json);
    from += strlen(quoted);
    memcpy(out, from, to - from);
    out[to - from] = 0;
}

static void on_seat(struct client *client, char *response, size_t len) {
    char path[256];
    (void)len;
    json_text(response, "roomId", client->room->id, sizeof client->room->id);
    json_text(response, "sessionId", client->session, sizeof client->session);
    json_text(response, "processId", client->process, sizeof client->process);
    snprintf(path, sizeof path, "/%s/%s?sessionId=%s", client->process, client->room->id, client->session);
    upgrade(client, path);
}

static enum message on_colyseus(struct client *client, const uint8_t *data, size_t len) {
    static const uint8_t confirm[] = {JOIN_ROOM};
    switch (len ? data[0] & CODE : 0) {
    case ERROR:
        fail("Colyseus refused a player: %.*s", (int)len - 1, (const char *)data + 1);
    case JOIN_ROOM:
        send_message(client, confirm, sizeof confirm);
        return JOINED;
    case ROOM_STATE_PATCH:
        return SNAPSHOT;
    default:
        return OTHER;
    }
}

/* What `room.send(1, [turn, thrust])` writes. */
static size_t input_colyseus(struct client *client, uint8_t *out) {
    uint32_t choice = next_random(client);
    out[0] = ROOM_DATA;
    out[1] = 1;
    out[2] = 0x92;
    out[3] = choice % 17;
    out[4] = choice >> 8 & 1;
    return 5;
}

const struct protocol colyseus = {
    .name = "colyseus",
    .websocket = true,
    .open = open_colyseus,
    .on_http = on_seat,
    .on_message = on_colyseus,
    .input = input_colyseus,
};
