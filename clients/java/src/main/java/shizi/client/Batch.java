package shizi.client;

import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;

/** Any number of files, some at the same time, results in order. */
final class Batch implements Iterator<BatchEntry>, AutoCloseable {
    // Files begun or waiting, per one that runs at a time: so that a slow one does not leave the others idle.
    private static final int AHEAD = 2;

    private final Iterator<Source> sources;
    private final Function<Source, Reading> read;
    private final int atOnce;
    private final ExecutorService threads;
    private final Deque<Future<BatchEntry>> running = new ArrayDeque<>();
    private int index;

    Batch(Iterator<Source> sources, Function<Source, Reading> read, int atOnce) {
        this.sources = sources;
        this.read = read;
        this.atOnce = atOnce;
        this.threads = Executors.newFixedThreadPool(atOnce, work -> {
            Thread thread = new Thread(work, "shizi-batch");
            thread.setDaemon(true);
            return thread;
        });
    }

    @Override
    public boolean hasNext() {
        boolean more = !running.isEmpty() || sources.hasNext();
        if (!more) {
            close();
        }
        return more;
    }

    @Override
    public BatchEntry next() {
        while (running.size() < AHEAD * atOnce && sources.hasNext()) {
            Source source = sources.next();
            int place = index++;
            running.add(threads.submit(() -> entry(place, source)));
        }
        if (running.isEmpty()) {
            throw new NoSuchElementException();
        }
        try {
            return running.remove().get();
        } catch (InterruptedException error) {
            close();
            throw new ShiziException.Interrupted(error);
        } catch (ExecutionException error) {
            close();
            throw (RuntimeException) error.getCause(); // entry throws no other
        }
    }

    /** End what is under way. */
    @Override
    public void close() {
        threads.shutdownNow();
        running.clear();
    }

    private BatchEntry entry(int place, Source source) {
        try {
            return new BatchEntry(place, source, read.apply(source), null);
        } catch (ShiziException.AccessError | ShiziException.OptionsError | ShiziException.Interrupted error) {
            throw error; // what every other file would meet too
        } catch (ShiziException | UncheckedIOException error) {
            return new BatchEntry(place, source, null, error);
        }
    }
}
