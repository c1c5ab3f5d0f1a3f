package shizi.client;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A day in the life of a client, against a running service; prints one row a step.
 *
 * <p>The Python and Node clients have the same program; the project's tests hold the rows of all against one list. The
 * service's reader is told by pictures what to do: one that says {@code hold} is held until {@code release} lies in the
 * folder.
 */
public final class Scenario {
    private static final String URL = System.getenv("SHIZI_URL");
    private static final Path FOLDER = Path.of(System.getenv("SHIZI_FOLDER"));
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private static final Source PICTURE = said("a picture");

    private Scenario() {
    }

    public static void main(String[] arguments) throws IOException {
        refused("no key", () -> ShiziClient.of(URL).read(PICTURE));
        ShiziClient stranger = ShiziClient.builder(URL).key("shizi_00000000_" + "x".repeat(43)).build();
        refused("wrong key", () -> stranger.read(PICTURE));
        ShiziClient shizi = ShiziClient.builder(URL).key(System.getenv("SHIZI_KEY")).build();
        reading(shizi);
        batch(shizi);
        refused("bad file", () -> shizi.read(said("damaged")));
        refused("large", () -> shizi.read(Source.of(new byte[6_000_000])));
        refused("option", () -> shizi.read(said("x"), ReadOptions.defaults().pages("a")));
        jobs(shizi);
        cancel(shizi);
        shownAndCorrected(shizi);
        models(shizi);
        OUT.println("purged: " + (shizi.purgeCache() >= 0));
        limited();
    }

    private static void reading(ShiziClient shizi) {
        OUT.println("health: " + shizi.health().version());
        OUT.println("ready: " + String.join(" ", shizi.ready().weights()));
        Source scan = Source.of(FOLDER.resolve("scan.png"));
        Reading reading = shizi.read(scan, ReadOptions.defaults().mode(ReadOptions.Mode.FAST).pages("1"));
        List<Line> lines = reading.pages().get(0).lines();
        OUT.println("read: " + lines.get(0).text() + ", " + lines.size() + " lines, " + reading.options().get("mode"));
        Reading invoice = shizi.read(said("an invoice"), ReadOptions.defaults().fields(ReadOptions.Fields.AUTO));
        String decision = invoice.verdict().orElseThrow().decision();
        OUT.println("fields: " + invoice.fields().get("total").value() + ", " + decision);
        OUT.println("export: " + shown(shizi.export(scan, Format.PDF), 5));
    }

    private static void batch(ShiziClient shizi) throws IOException {
        List<Source> pictures;
        try (Stream<Path> found = Files.list(FOLDER.resolve("batch"))) {
            pictures = found.sorted().map(Source::of).collect(Collectors.toList());
        }
        List<BatchEntry> entries;
        ReadOptions fast = ReadOptions.defaults().mode(ReadOptions.Mode.FAST);
        try (Stream<BatchEntry> read = shizi.readBatch(pictures, fast, 3)) {
            entries = read.collect(Collectors.toList());
        }
        boolean inOrder = IntStream.range(0, 20).allMatch(place -> entries.get(place).index() == place
                && entries.get(place).source() == pictures.get(place));
        long read = entries.stream().filter(entry -> entry.reading().isPresent()).count();
        String bad = entries.stream().filter(entry -> entry.error().isPresent())
                .map(entry -> entry.source().name() + " " + entry.error().get().getClass().getSimpleName())
                .collect(Collectors.joining(", "));
        OUT.println("batch: " + entries.size() + " entries, in order " + inOrder + ", " + read + " read, " + bad);
    }

    private static void jobs(ShiziClient shizi) {
        List<Job> told = new ArrayList<>();
        Source document = Source.of(FOLDER.resolve("long.pdf"));
        Job job = shizi.submit(List.of(document), ReadOptions.defaults().mode(ReadOptions.Mode.FAST));
        job = shizi.await(job.id(), Duration.ofMinutes(1), told::add);
        OUT.println("job: " + job.state() + ", " + job.pagesRead() + " of " + job.pages().orElseThrow()
                + " pages, progress told " + (told.get(told.size() - 1) == job));
        OUT.println("document: " + shizi.document(job.id(), 0).pages().size() + " pages");
        OUT.println("job pdf: " + shown(shizi.result(job.id(), Format.PDF), 5));
        List<Source> named = List.of(named("a.bmp", "BM one"), named("b.bmp", "BM two"), named("c.bmp", "BM damaged"));
        Job several = shizi.await(shizi.submit(named).id());
        ResultFile zip = shizi.result(several.id(), Format.TEXT);
        OUT.println("several: " + zip.name() + " " + new String(zip.data(), 0, 2, StandardCharsets.US_ASCII)
                + ", failed " + String.join(" ", zip.failedPages()));
        String one = shizi.result(several.id(), Format.TEXT, 1).name();
        OUT.println("one of several: " + one + ", " + several.errors().get(0).code());
        JobTerms terms = JobTerms.none().idempotencyKey("order-" + ProcessHandle.current().pid());
        Job first = shizi.submit(List.of(said("BM one")), ReadOptions.defaults(), terms);
        Job again = shizi.submit(List.of(said("BM one")), ReadOptions.defaults(), terms);
        OUT.println("ordered twice: one job " + first.id().equals(again.id()));
    }

    private static void cancel(ShiziClient shizi) throws IOException {
        String held = shizi.submit(List.of(said("BM hold"))).id();
        while (!shizi.job(held).state().equals("running")) {
            Thread.onSpinWait();
        }
        refused("too early", () -> shizi.document(held, 0));
        OUT.println("cancelled: was " + shizi.delete(held).was());
        Files.createFile(FOLDER.resolve("release"));
        refused("forgotten", () -> shizi.job(held));
    }

    private static void shownAndCorrected(ShiziClient shizi) {
        Picture picture = shizi.picture(Source.of(FOLDER.resolve("long.pdf")), 2, 100, 0, "");
        boolean jpeg = picture.data()[0] == (byte) 0xff && picture.data()[1] == (byte) 0xd8;
        OUT.println("picture: JPEG " + jpeg + ", " + picture.pages() + " pages");
        Source scan = Source.of(FOLDER.resolve("scan.png"));
        String read = new String(shizi.export(scan, Format.JSON).data(), StandardCharsets.UTF_8);
        byte[] corrected = read.replace("识字 reads", "识字 corrected").getBytes(StandardCharsets.UTF_8);
        String written = new String(shizi.write(corrected, Format.TEXT, scan).data(), StandardCharsets.UTF_8);
        String plain = new String(shizi.write(corrected, Format.TEXT).data(), StandardCharsets.UTF_8);
        String name = shizi.write(corrected, Format.TEXT, scan).name();
        OUT.println("written: " + name + " " + (written.equals(plain) ? written.split("\n")[0] : "two texts"));
        OUT.println("written on its source: " + start(shizi.write(corrected, Format.PDF, scan)));
        Corrections told = shizi.corrections();
        OUT.println("corrections: kept " + told.kept() + ", at most " + told.longestText() + " characters");
        Correction kept = shizi.correct(said("a line"), "识字", LineTerms.none().read("只字", "crnn"));
        List<Point> polygon = shizi.read(scan).pages().get(0).lines().get(0).polygon();
        LineTerms terms = LineTerms.none().polygon(polygon).vertical(false);
        Correction placed = shizi.correct(scan, "识字 corrected", terms);
        OUT.println("corrected: " + kept.outcome() + " " + kept.text() + ", " + placed.outcome() + " " + placed.text());
        OUT.println("old corrections: " + shizi.purgeCorrections(null, LocalDate.of(2000, 1, 1)));
        OUT.println("corrections deleted: " + shizi.purgeCorrections("desk", null));
    }

    private static void models(ShiziClient shizi) {
        Models there = shizi.models();
        Model tuned = there.versions().get(1);
        Map<String, Map<String, Double>> gain = tuned.figures().get("corrections");
        OUT.println("models: " + there.serving() + ", " + there.versions().size() + " versions, "
                + gain.get("current").get("exact") + " to " + gain.get("candidate").get("exact"));
        Models promoted = shizi.promote(tuned.name());
        String how = promoted.log().get(promoted.log().size() - 1).how();
        OUT.println("promoted: " + promoted.serving().equals(tuned.name()) + ", " + how);
        OUT.println("rolled back: " + shizi.rollback().serving());
        OUT.println("metrics: " + shizi.metrics().contains("shizi_requests_total"));
    }

    private static String start(ResultFile file) {
        return file.name() + " " + new String(file.data(), 0, 5, StandardCharsets.US_ASCII);
    }

    private static void limited() {
        ShiziClient.Builder limited = ShiziClient.builder(URL).key(System.getenv("SHIZI_LIMITED_KEY"));
        ShiziClient hasty = limited.retries(Retries.NONE).build();
        try {
            while (true) {
                hasty.read(PICTURE);
            }
        } catch (ShiziException.QuotaSpent error) {
            OUT.println("limited: " + shown(error) + ", told when " + error.retryAfter().isPresent());
        }
        ShiziClient patient = limited.retries(Retries.DEFAULT).build();
        OUT.println("patient: " + patient.read(PICTURE).pages().get(0).lines().get(0).text());
    }

    private static void refused(String name, Supplier<?> asked) {
        try {
            asked.get();
            OUT.println(name + ": not refused");
        } catch (ShiziException.Refused error) {
            OUT.println(name + ": " + shown(error));
        }
    }

    private static String shown(ShiziException.Refused error) {
        return error.getClass().getSimpleName() + " " + error.status();
    }

    private static String shown(ResultFile file, int length) {
        String beginning = new String(file.data(), 0, length, StandardCharsets.US_ASCII);
        return file.name() + " " + file.mediaType() + " " + beginning;
    }

    private static Source said(String text) {
        return Source.of(text.getBytes(StandardCharsets.UTF_8));
    }

    private static Source named(String name, String text) {
        return Source.of(name, text.getBytes(StandardCharsets.UTF_8));
    }
}
