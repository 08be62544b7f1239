/* The load generator: one process, one epoll, many players.
 *
 *   main.c        command line, epoll loop, the evenly spread inputs
 *   statistics.c  what is counted
 *   join.c        opens connections, room by room, a few at a time
 *   frames.c      WebSocket client frames: split what arrives, mask what leaves
 *   tickwire.c    \
 *   colyseus.c     > what each system says: join, input, what counts as a snapshot
 *   floor.c       /
 *
 * It decodes only what it must (room id, tick, message kind), so that it costs little beside the
 * server that it measures.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum state { IDLE, MATCHING, UPGRADING, JOINING, LIVE };
enum message { OTHER, SNAPSHOT, JOINED };

struct room {
    char id[64]; /* "" until its first player is in */
};

struct client {
    int fd;
    enum state state;
    struct room *room;
    bool creates;
    uint32_t next_tick;        /* tickwire: the tick of the next input */
    uint32_t random;           /* xorshift state: what this player does next */
    uint64_t last_snapshot_ns; /* 0: none in this window yet */
    uint8_t *left;             /* bytes of an unfinished frame */
    size_t left_len, left_cap;
    char session[64], process[64]; /* colyseus: the seat that matchmaking gave */
};

struct protocol {
    const char *name;
    bool websocket;
    void (*open)(struct client *);                                        /* start to join */
    void (*on_http)(struct client *, char *response, size_t len);         /* a matchmaking answer */
    void (*on_upgraded)(struct client *);                                 /* the WebSocket is open */
    enum message (*on_message)(struct client *, const uint8_t *, size_t); /* one payload */
    size_t (*input)(struct client *, uint8_t *out);                       /* the payload of one input */
};

extern const struct protocol tickwire, colyseus, floor_protocol;

/* What the command line asked for. */
struct settings {
    const struct protocol *protocol;
    const char *room_type;
    int port, rooms, players;
    double hz;
    bool idle;
};
extern struct settings settings;

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
uint64_t now_ns(void);
uint32_t next_random(struct client *);

/* join.c */
void join_start(struct client *clients, int count);
void join_more(void);
void joined(struct client *);
int joined_count(void);
void connect_client(struct client *, enum state);
void upgrade(struct client *, const char *path);

/* frames.c */
size_t split_frames(struct client *, const uint8_t *data, size_t len, uint64_t at_ns);
size_t mask_frame(uint8_t *out, int opcode, const uint8_t *payload, size_t len, uint32_t key);
void send_bytes(struct client *, const void *data, size_t len);
void send_message(struct client *, const uint8_t *payload, size_t len);

/* statistics.c */
void count_message(struct client *, const uint8_t *payload, size_t len, uint64_t at_ns);
void count_input(uint64_t late_ns);
void start_measuring(struct client *clients, int count);
_Noreturn void report_and_exit(int count);

/* main.c */
void watch(struct client *);
void unwatch(struct client *);

#endif
