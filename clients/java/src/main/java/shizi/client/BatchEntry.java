package shizi.client;

import java.util.Optional;

/** One file of a batch: its place, what was given, and its reading or its error. */
public final class BatchEntry {
    private final int index;
    private final Source source;
    private final Reading reading;
    private final RuntimeException error;

    BatchEntry(int index, Source source, Reading reading, RuntimeException error) {
        this.index = index;
        this.source = source;
        this.reading = reading;
        this.error = error;
    }

    public int index() {
        return index;
    }

    public Source source() {
        return source;
    }

    public Optional<Reading> reading() {
        return Optional.ofNullable(reading);
    }

    /** A {@link ShiziException}, or an {@link java.io.UncheckedIOException} of a file that cannot be opened. */
    public Optional<RuntimeException> error() {
        return Optional.ofNullable(error);
    }
}
