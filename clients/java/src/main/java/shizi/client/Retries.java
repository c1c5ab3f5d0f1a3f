package shizi.client;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * When to ask again: at most {@code times} when the service is busy (429, 503) or no connection held.
 *
 * <p>What the service says in Retry-After is honoured; a wait over {@code longest} is not begun, and its exception thrown
 * at once: a spent daily quota would hold the caller till midnight.
 */
public final class Retries {
    /** Three times, waiting a minute at most. */
    public static final Retries DEFAULT = new Retries(3, Duration.ofMinutes(1));
    /** Never. */
    public static final Retries NONE = new Retries(0, Duration.ZERO);

    private static final long FIRST_MILLIS = 500;
    private static final long LONGEST_GUESS_MILLIS = 8000;
    private static final double SPREAD = 0.1; // of the wait is added by chance, so that many do not come back at once

    private final int times;
    private final Duration longest;

    public Retries(int times, Duration longest) {
        this.times = times;
        this.longest = longest;
    }

    /**
     * Give how long to wait after the {@code tried}-th failure (from 1) was {@code error}; nothing to give up.
     *
     * <p>What is not {@code repeatable} is sent again after refusals alone: with a lost answer nobody knows whether it
     * was done.
     */
    Optional<Duration> waitAfter(ShiziException error, int tried, boolean repeatable) {
        // A picture that brought a process down is sent once more, not again and again.
        if (tried > (error instanceof ShiziException.WorkerLost ? Math.min(times, 1) : times)) {
            return Optional.empty();
        }
        Optional<Duration> asked = Optional.empty();
        if (error instanceof ShiziException.Refused) {
            ShiziException.Refused refused = (ShiziException.Refused) error;
            if (refused.status() != 429 && refused.status() != 503) {
                return Optional.empty();
            }
            asked = refused.retryAfter();
        } else if (!(repeatable && error instanceof ShiziException.ConnectionFailed)) {
            return Optional.empty();
        }
        long guess = Math.min(LONGEST_GUESS_MILLIS, FIRST_MILLIS << Math.min(tried - 1, 10));
        Duration wait = asked.orElse(Duration.ofMillis(guess));
        if (wait.compareTo(longest) > 0) {
            return Optional.empty();
        }
        return Optional.of(wait.plusMillis((long) (wait.toMillis() * SPREAD * ThreadLocalRandom.current().nextDouble())));
    }
}
