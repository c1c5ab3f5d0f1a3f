package shizi.client;

import java.io.IOException;
import java.net.URLDecoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A result as a file. */
public final class ResultFile {
    private static final Pattern WHOLE = Pattern.compile("filename\\*=UTF-8''([^;\\s]+)");
    private static final Pattern PLAIN = Pattern.compile("filename=\"([^\"]*)\"");
    // What files of a format end in, where that is not its name.
    private static final Map<Format, String> SUFFIXES =
            Map.of(Format.TEXT, "txt", Format.MARKDOWN, "md", Format.ALTO, "xml");

    private final String name;
    private final String mediaType;
    private final byte[] data;
    private final List<String> failedPages;

    private ResultFile(String name, String mediaType, byte[] data, List<String> failedPages) {
        this.name = name;
        this.mediaType = mediaType;
        this.data = data;
        this.failedPages = failedPages;
    }

    static ResultFile of(HttpResponse<byte[]> response, Format format) {
        String mediaType = header(response, "Content-Type").split(";")[0];
        String suffix = mediaType.equals("application/zip") ? "zip"
                : SUFFIXES.getOrDefault(format, format.toString());
        String name = nameIn(header(response, "Content-Disposition"));
        String failed = header(response, "X-Failed-Pages");
        return new ResultFile(name.isEmpty() ? "result." + suffix : name, mediaType, response.body(),
                failed.isEmpty() ? List.of() : List.of(failed.split(",")));
    }

    public String name() {
        return name;
    }

    public String mediaType() {
        return mediaType;
    }

    public byte[] data() {
        return data.clone();
    }

    /** The pages of a job that are missing in it, as {@code file:page}. */
    public List<String> failedPages() {
        return failedPages;
    }

    /** Write the file, into a folder under its own name or to the path given; give where. */
    public Path save(Path path) throws IOException {
        return Files.write(Files.isDirectory(path) ? path.resolve(name) : path, data);
    }

    private static String header(HttpResponse<?> response, String name) {
        return response.headers().firstValue(name).orElse("");
    }

    /** Take the file's name out of the header (RFC 6266), whatever it tries: no folder of it is kept. */
    private static String nameIn(String disposition) {
        Matcher whole = WHOLE.matcher(disposition);
        Matcher plain = PLAIN.matcher(disposition);
        String given = whole.find() ? URLDecoder.decode(whole.group(1).replace("+", "%2B"), StandardCharsets.UTF_8)
                : plain.find() ? plain.group(1) : "";
        String last = given.substring(Math.max(given.lastIndexOf('/'), given.lastIndexOf('\\')) + 1);
        return last.replace("\0", "").replaceAll("^[. ]+|[. ]+$", "");
    }
}
