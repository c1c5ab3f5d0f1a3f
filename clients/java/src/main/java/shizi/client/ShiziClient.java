package shizi.client;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** A shizi service. One client serves any number of threads at once. */
public final class ShiziClient {
    private static final int AT_ONCE = 4;
    private static final long FIRST_POLL_MILLIS = 100;
    private static final long LONGEST_POLL_MILLIS = 5000;

    private final String url;
    private final String key;
    private final Duration timeout;
    private final Retries retries;
    private final HttpClient http;

    private ShiziClient(Builder from) {
        url = from.url.replaceAll("/+$", "");
        key = from.key;
        timeout = from.timeout;
        retries = from.retries;
        http = from.http != null ? from.http
                : HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(timeout).build();
    }

    /** Call the service at {@code url} without a key. */
    public static ShiziClient of(String url) {
        return builder(url).build();
    }

    /** Begin a client of the service at {@code url}. Throws IllegalArgumentException for what is no address. */
    public static Builder builder(String url) {
        if (!url.startsWith("http://") && !url.startsWith("https://")) {
            throw new IllegalArgumentException("The url is " + url
                    + "; expected the address of a shizi, such as http://127.0.0.1:5000.");
        }
        return new Builder(url);
    }

    /** How to reach the service. */
    public static final class Builder {
        private final String url;
        private String key;
        // A service with its own defaults lets a request wait 30 s for its turn and read for 120 s.
        private Duration timeout = Duration.ofSeconds(150);
        private Retries retries = Retries.DEFAULT;
        private HttpClient http;

        private Builder(String url) {
            this.url = url;
        }

        /** The caller's key, as {@code shizi keys add} gave it; null for none. */
        public Builder key(String key) {
            this.key = key;
            return this;
        }

        /** How long to wait for one answer. */
        public Builder timeout(Duration timeout) {
            this.timeout = timeout;
            return this;
        }

        /** When to ask again. */
        public Builder retries(Retries retries) {
            this.retries = retries;
            return this;
        }

        /** A client of your own, for proxies and certificates; it must not follow redirects, as the key would go along. */
        public Builder http(HttpClient http) {
            this.http = http;
            return this;
        }

        public ShiziClient build() {
            return new ShiziClient(this);
        }
    }

    /** Read one picture or document. */
    public Reading read(Source source) {
        return read(source, ReadOptions.defaults());
    }

    /** Read one picture or document. */
    public Reading read(Source source, ReadOptions options) {
        Form form = new Form(options.values()).with("file", source);
        return send(post("/ocr/predict", form, Map.of()), model(Reading::new));
    }

    /** Read any number of files, four at a time; see the other {@code readBatch}. */
    public Stream<BatchEntry> readBatch(Iterable<Source> sources, ReadOptions options) {
        return readBatch(sources, options, AT_ONCE);
    }

    /**
     * Read any number of files, each in a request of its own, {@code atOnce} at the same time.
     *
     * <p>Gives one entry a file, in the order given. A file that cannot be read is an entry with its error; only what
     * every other file would meet too ends the batch: AccessError and OptionsError. Sources are taken as needed; close
     * the stream to end early.
     */
    public Stream<BatchEntry> readBatch(Iterable<Source> sources, ReadOptions options, int atOnce) {
        Batch batch = new Batch(sources.iterator(), source -> read(source, options), atOnce);
        int kind = Spliterator.ORDERED | Spliterator.NONNULL;
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(batch, kind), false).onClose(batch::close);
    }

    /** Read one picture or document and give it as a file: searchable PDF, Word, Excel, Markdown and others. */
    public ResultFile export(Source source, Format format) {
        return export(source, format, ReadOptions.defaults());
    }

    /** Read one picture or document and give it as a file: searchable PDF, Word, Excel, Markdown and others. */
    public ResultFile export(Source source, Format format, ReadOptions options) {
        Map<String, String> fields = new LinkedHashMap<>(options.values());
        fields.put("format", format.toString());
        Form form = new Form(fields).with("file", source);
        return send(post("/ocr/predict", form, Map.of()), response -> ResultFile.of(response, format));
    }

    /**
     * Write a document that was read before, with whatever was corrected in it, as a file; nothing is read again.
     *
     * <p>{@code document}: its JSON, as {@code export} and {@code result} give it with {@link Format#JSON}.
     */
    public ResultFile write(byte[] document, Format format) {
        return written(new Form(Map.of("format", format.toString())), document, format);
    }

    /** Write a document that was read before, made of the file it was read of too: a searchable PDF. */
    public ResultFile write(byte[] document, Format format, Source source) {
        Map<String, String> fields = Map.of("format", format.toString(), "name", source.name());
        return written(new Form(fields).with("file", source), document, format);
    }

    private ResultFile written(Form form, byte[] document, Format format) {
        form.with("document", Source.of("document.json", document));
        return send(post("/ocr/export", form, Map.of()), response -> ResultFile.of(response, format));
    }

    /** Give a page, from 1, as a JPEG. */
    public Picture picture(Source source, int page) {
        return picture(source, page, 2400, 0, "");
    }

    /**
     * Give a page, from 1, as a JPEG, {@code side} pixels at its longest, turned by {@code rotation} degrees clockwise;
     * {@code password} opens an encrypted PDF.
     */
    public Picture picture(Source source, int page, int side, int rotation, String password) {
        Map<String, String> fields = Map.of("page", String.valueOf(page), "side", String.valueOf(side),
                "rotation", String.valueOf(rotation), "password", password);
        return send(post("/ocr/picture", new Form(fields).with("file", source), Map.of()), Picture::of);
    }

    /** Order a job: long documents or many files, read behind those who wait. */
    public Job submit(List<Source> sources) {
        return submit(sources, ReadOptions.defaults());
    }

    /** Order a job: long documents or many files, read behind those who wait. */
    public Job submit(List<Source> sources, ReadOptions options) {
        return submit(sources, options, JobTerms.none());
    }

    /** Order a job: long documents or many files, read behind those who wait. */
    public Job submit(List<Source> sources, ReadOptions options, JobTerms terms) {
        Map<String, String> fields = new LinkedHashMap<>(options.values());
        terms.webhook().ifPresent(address -> fields.put("webhook", address));
        String repeat = terms.idempotencyKey().orElseGet(() -> UUID.randomUUID().toString());
        Form form = new Form(fields);
        sources.forEach(source -> form.with("file", source));
        return send(post("/ocr/jobs", form, Map.of("Idempotency-Key", repeat)), model(Job::new));
    }

    /** Ask how a job stands. */
    public Job job(String id) {
        return send(asking("GET", "/ocr/jobs/" + encoded(id)), model(Job::new));
    }

    /** Wait until a job is over and give it, for as long as it takes. Throws JobFailed if nothing was read. */
    public Job await(String id) {
        return await(id, Optional.empty(), job -> { });
    }

    /**
     * Wait until a job is over and give it; {@code onProgress} is called with each new state.
     *
     * <p>Throws JobFailed if nothing was read, TimedOut after {@code atMost} (the job goes on).
     */
    public Job await(String id, Duration atMost, Consumer<Job> onProgress) {
        return await(id, Optional.of(atMost), onProgress);
    }

    /** Fetch what was read of one file of a job. */
    public Document document(String id, int file) {
        return send(asking("GET", resultPath(id) + "?format=json&file=" + file), model(Document::new));
    }

    /** Fetch what was read so far of one file of a job under way. */
    public Document partialDocument(String id, int file) {
        String path = resultPath(id) + "?format=json&partial=true&file=" + file;
        return send(asking("GET", path), model(Document::new));
    }

    /** Fetch the result of a job as a file; of several files a ZIP. */
    public ResultFile result(String id, Format format) {
        return send(asking("GET", resultPath(id) + "?format=" + format), response -> ResultFile.of(response, format));
    }

    /** Fetch the result of one of a job's files as a file. */
    public ResultFile result(String id, Format format, int file) {
        String path = resultPath(id) + "?format=" + format + "&file=" + file;
        return send(asking("GET", path), response -> ResultFile.of(response, format));
    }

    /** Fetch the result so far of one of the files of a job under way as a file. */
    public ResultFile partialResult(String id, Format format, int file) {
        String path = resultPath(id) + "?format=" + format + "&partial=true&file=" + file;
        return send(asking("GET", path), response -> ResultFile.of(response, format));
    }

    /** Cancel a job if it is not over, and delete it with all of its content. */
    public DeletedJob delete(String id) {
        return send(asking("DELETE", "/ocr/jobs/" + encoded(id)), model(DeletedJob::new));
    }

    /** Drop all cached answers; give how many there were. The key needs the scope {@code admin}. */
    public int purgeCache() {
        return send(asking("DELETE", "/ocr/cache"), model(ShiziClient::dropped));
    }

    /** Ask whether this service keeps corrected lines, and how long their texts may be. */
    public Corrections corrections() {
        return send(asking("GET", "/ocr/corrections"), model(Corrections::new));
    }

    /** Bring the right text of a line, with its own picture. The key needs the scope {@code correct}. */
    public Correction correct(Source line, String text) {
        return correct(line, text, LineTerms.none());
    }

    /**
     * Bring the right text of a line, for the recogniser to learn from. The key needs the scope {@code correct}.
     *
     * <p>{@code source}: the line's own picture, or with a polygon the page or document that it stands on.
     */
    public Correction correct(Source source, String text, LineTerms terms) {
        Map<String, String> fields = new LinkedHashMap<>(terms.values());
        fields.put("text", text);
        Form form = new Form(fields).with(terms.onPage() ? "image" : "line", source);
        return send(post("/ocr/corrections", form, Map.of()), model(Correction::new));
    }

    /** Delete all corrected lines; give how many there were. The key needs the scope {@code admin}. */
    public int purgeCorrections() {
        return purgeCorrections(null, null);
    }

    /** Delete the corrected lines of the key called {@code sender}, of before a day, or both; null for any. */
    public int purgeCorrections(String sender, LocalDate before) {
        String query = sender == null ? "" : "&sender=" + encoded(sender);
        query += before == null ? "" : "&before=" + before;
        String path = "/ocr/corrections" + (query.isEmpty() ? "" : "?" + query.substring(1));
        return send(asking("DELETE", path), model(ShiziClient::dropped));
    }

    /** List the versions of the small recogniser. The key needs the scope {@code admin}, as for changing them. */
    public Models models() {
        return send(asking("GET", "/ocr/models"), model(Models::new));
    }

    /** Have a version read from now on. It is not sent again when its answer is lost; {@code models} tells. */
    public Models promote(String version) {
        String body = "{\"version\":" + Json.written(version) + "}";
        HttpRequest.Builder request = request("/ocr/models/promote").header("Content-Type", "application/json");
        return send(request.POST(BodyPublishers.ofString(body)), model(Models::new), false);
    }

    /** Have the version from before read again. It is not sent again when its answer is lost; {@code models} tells. */
    public Models rollback() {
        return send(asking("POST", "/ocr/models/rollback"), model(Models::new), false);
    }

    /** Give what Prometheus collects, as text. The key needs the scope {@code admin}. */
    public String metrics() {
        return send(asking("GET", "/metrics"), response -> new String(response.body(), StandardCharsets.UTF_8));
    }

    /** Ask whether the service answers. */
    public Health health() {
        return send(asking("GET", "/ocr/health"), model(Health::new));
    }

    /** Ask whether the models are loaded; gives their names. */
    public Readiness ready() {
        return send(asking("GET", "/ocr/ready"), model(Readiness::new));
    }

    private Job await(String id, Optional<Duration> atMost, Consumer<Job> onProgress) {
        long started = System.nanoTime();
        long poll = FIRST_POLL_MILLIS;
        List<Object> seen = List.of();
        while (true) {
            Job job = job(id);
            List<Object> now = List.of(job.state(), job.pages(), job.pagesRead(), job.pagesFailed());
            if (!now.equals(seen)) {
                seen = now;
                poll = FIRST_POLL_MILLIS;
                onProgress.accept(job);
            }
            if (job.state().equals("done")) {
                return job;
            }
            if (!job.state().equals("queued") && !job.state().equals("running")) {
                throw new ShiziException.JobFailed(job);
            }
            long left = Long.MAX_VALUE;
            if (atMost.isPresent()) {
                left = atMost.get().toMillis() - (System.nanoTime() - started) / 1_000_000;
            }
            if (left <= 0) {
                String message = "The job " + id + " is still " + job.state() + " after " + atMost.get() + "; it goes on.";
                throw new ShiziException.TimedOut(message, null);
            }
            pause(Duration.ofMillis(Math.min(poll, left)));
            poll = Math.min(LONGEST_POLL_MILLIS, poll * 3 / 2);
        }
    }

    private HttpRequest.Builder asking(String method, String path) {
        return request(path).method(method, BodyPublishers.noBody());
    }

    private HttpRequest.Builder post(String path, Form form, Map<String, String> headers) {
        HttpRequest.Builder request = request(path).header("Content-Type", form.contentType()).POST(form.body());
        headers.forEach(request::header);
        return request;
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + path)).timeout(timeout)
                .header("User-Agent", "shizi-client-java/0.1.0");
        return key == null ? request : request.header("Authorization", "Bearer " + key);
    }

    private <T> T send(HttpRequest.Builder builder, Function<HttpResponse<byte[]>, T> parse) {
        return send(builder, parse, true);
    }

    private <T> T send(HttpRequest.Builder builder, Function<HttpResponse<byte[]>, T> parse, boolean repeatable) {
        HttpRequest request = builder.build();
        for (int tried = 1;; tried++) {
            try {
                return parse.apply(accepted(once(request)));
            } catch (ShiziException error) {
                pause(retries.waitAfter(error, tried, repeatable).orElseThrow(() -> error));
            }
        }
    }

    private HttpResponse<byte[]> once(HttpRequest request) {
        try {
            return http.send(request, HttpResponse.BodyHandlers.ofByteArray());
        } catch (HttpTimeoutException error) {
            String message = url + " did not answer within " + timeout + "; give the client a longer timeout.";
            throw new ShiziException.TimedOut(message, error);
        } catch (IOException error) {
            String message = "No answer from " + url + " (" + error + "); is a shizi there?";
            throw new ShiziException.ConnectionFailed(message, error);
        } catch (InterruptedException error) {
            throw new ShiziException.Interrupted(error);
        }
    }

    private static HttpResponse<byte[]> accepted(HttpResponse<byte[]> response) {
        if (response.statusCode() >= 400) {
            throw ShiziException.of(response);
        }
        if (response.statusCode() >= 300) {
            String to = response.headers().firstValue("Location").orElse("?");
            throw new ShiziException.UnexpectedAnswer("The answer is a redirect to " + to
                    + ", which is not followed, as the key would go along; give that address as the client's url.", null);
        }
        return response;
    }

    private static <T> Function<HttpResponse<byte[]>, T> model(Function<JsonObject, T> read) {
        return response -> read.apply(JsonObject.parse(new String(response.body(), StandardCharsets.UTF_8)));
    }

    private static int dropped(JsonObject json) {
        return json.required("dropped", JsonObject::integer);
    }

    private static void pause(Duration wait) {
        try {
            Thread.sleep(wait.toMillis());
        } catch (InterruptedException error) {
            throw new ShiziException.Interrupted(error);
        }
    }

    private static String resultPath(String id) {
        return "/ocr/jobs/" + encoded(id) + "/result";
    }

    private static String encoded(String id) {
        return URLEncoder.encode(id, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
