package shizi.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Batches without a service: order, ends, sources taken as needed. */
class BatchTest {
    private static final String EMPTY = "{\"text\": \"\", \"confidence\": 0, \"processing_time_ms\": 1, \"request_id\": \"r\", "
            + "\"cached\": false, \"weights\": [], \"options\": {}, \"warnings\": [], \"stages\": {}, \"pages\": []}";

    private final AtomicInteger taken = new AtomicInteger();

    private static Reading reading() {
        return new Reading(JsonObject.parse(EMPTY));
    }

    private Iterator<Source> sources(int count) {
        return IntStream.range(0, count).peek(number -> taken.incrementAndGet())
                .mapToObj(number -> Source.of(number + ".png", new byte[0])).iterator();
    }

    @Test
    void entriesComeInOrderHoweverLongEachTakes() {
        CountDownLatch second = new CountDownLatch(1);
        Batch batch = new Batch(sources(3), source -> {
            if (source.name().equals("0.png")) {
                awaited(second);
            } else {
                second.countDown();
            }
            return reading();
        }, 2);
        List<Integer> places = new java.util.ArrayList<>();
        batch.forEachRemaining(entry -> places.add(entry.index()));
        assertEquals(List.of(0, 1, 2), places);
    }

    @Test
    void sourcesAreTakenAsNeeded() {
        Batch batch = new Batch(sources(1000), source -> reading(), 2);
        batch.next();
        assertTrue(taken.get() <= 5, "as many as run, twice, and one looked ahead");
        batch.close();
    }

    @Test
    void aFileThatCannotBeOpenedIsAnEntry() {
        Source missing = Source.of(Path.of("/no/such/file.png"));
        Batch batch = new Batch(List.of(missing).iterator(), source -> {
            source.load();
            return reading();
        }, 1);
        List<BatchEntry> entries = new java.util.ArrayList<>();
        batch.forEachRemaining(entries::add);
        assertTrue(entries.get(0).error().orElseThrow() instanceof UncheckedIOException);
        assertEquals(Optional.empty(), entries.get(0).reading());
    }

    @Test
    void whatEveryFileWouldMeetEndsIt() {
        ShiziException.Told told = new ShiziException.Told("No.", 403, "key_refused", "", Optional.empty());
        Batch batch = new Batch(sources(5), source -> {
            throw new ShiziException.KeyRefused(told);
        }, 2);
        assertThrows(ShiziException.KeyRefused.class, () -> batch.next());
    }

    @Test
    void retriesAreBounded() {
        ShiziException lost = new ShiziException.ConnectionFailed("No.", null);
        Retries retries = new Retries(2, Duration.ofSeconds(5));
        List<Boolean> again = IntStream.of(1, 2, 3).mapToObj(tried -> retries.waitAfter(lost, tried, true).isPresent())
                .collect(Collectors.toList());
        assertEquals(List.of(true, true, false), again);
    }

    @Test
    void whatCannotWorkIsSaidAtOnce() {
        assertThrows(IllegalArgumentException.class, () -> ShiziClient.of("127.0.0.1:5000"));
        assertThrows(IllegalArgumentException.class, () -> new Batch(sources(1), source -> reading(), 0));
    }

    private static void awaited(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException error) {
            throw new ShiziException.Interrupted(error);
        }
    }
}
