package shizi.client;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What can be read: a file, or bytes with a name. */
public final class Source {
    private final String name;
    private final Path path;
    private final byte[] data;

    private Source(String name, Path path, byte[] data) {
        this.name = name;
        this.path = path;
        this.data = data;
    }

    /** A file, opened when it is sent: what sends it throws an {@link UncheckedIOException} if that fails. */
    public static Source of(Path path) {
        Path last = path.getFileName();
        return new Source(last == null ? "file" : last.toString(), path, null);
    }

    /** Bytes, called {@code name}. */
    public static Source of(String name, byte[] data) {
        return new Source(name, null, data.clone());
    }

    /** Bytes without a name. */
    public static Source of(byte[] data) {
        return of("file", data);
    }

    public String name() {
        return name;
    }

    byte[] load() {
        try {
            return path == null ? data : Files.readAllBytes(path);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    @Override
    public String toString() {
        return path == null ? name : path.toString();
    }
}
