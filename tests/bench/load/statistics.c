/* What one measurement counts: payloads, snapshots, the intervals between them. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Arrival intervals are counted in buckets of 20 us, up to a second. */
enum { BUCKET_NS = 20000, BUCKETS = 50000 };
/* An input counts as late when it leaves this long after its time. */
enum { LATE_NS = 1000000 };

static bool measuring;
static uint64_t started_ns, snapshots, messages, payload_bytes, inputs, late_inputs;
static uint32_t intervals[BUCKETS + 1];

void count_message(struct client *client, const uint8_t *payload, size_t len, uint64_t at_ns) {
    enum message kind = settings.protocol->on_message(client, payload, len);
    if (kind == JOINED)
        joined(client);
    if (!measuring)
        return;
    messages++;
    payload_bytes += len;
    if (kind != SNAPSHOT)
        return;
    snapshots++;
    if (client->last_snapshot_ns) {
        uint64_t bucket = (at_ns - client->last_snapshot_ns) / BUCKET_NS;
        intervals[bucket < BUCKETS ? bucket : BUCKETS]++;
    }
    client->last_snapshot_ns = at_ns;
}

void count_input(uint64_t late_ns) {
    inputs += measuring;
    late_inputs += measuring && late_ns > LATE_NS;
}

static double percentile(double share) {
    uint64_t total = 0, seen = 0;
    for (int i = 0; i <= BUCKETS; i++)
        total += intervals[i];
    for (int i = 0; i <= BUCKETS; i++)
        if ((seen += intervals[i]) >= share * total && seen)
            return (i + 0.5) * BUCKET_NS / 1e6;
    return 0;
}

void start_measuring(struct client *clients, int count) {
    snapshots = messages = payload_bytes = inputs = late_inputs = 0;
    memset(intervals, 0, sizeof intervals);
    for (int i = 0; i < count; i++)
        clients[i].last_snapshot_ns = 0;
    started_ns = now_ns();
    measuring = true;
}

_Noreturn void report_and_exit(int count) {
    struct timespec cpu;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    printf("{\"clients\": %d, \"seconds\": %.6f, \"inputs\": %lu, \"late_inputs\": %lu, \"messages\": %lu, "
           "\"snapshots\": %lu, \"payload_bytes\": %lu, \"own_cpu_s\": %.3f, "
           "\"arrival_interval_ms\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}}\n",
           count, (now_ns() - started_ns) / 1e9, inputs, late_inputs, messages, snapshots, payload_bytes,
           cpu.tv_sec + cpu.tv_nsec / 1e9, percentile(0.5), percentile(0.99), percentile(1));
    fflush(stdout);
    exit(0);
}
