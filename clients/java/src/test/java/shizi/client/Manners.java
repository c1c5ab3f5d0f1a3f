package shizi.client;

import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/**
 * How the client lives with proxies, broken networks and services in trouble; prints one row a trial.
 *
 * <p>The Python and Node clients have the same program; the project's tests hold the rows of all against one list.
 */
public final class Manners {
    private static final String STUBBORN = System.getenv("SHIZI_STUBBORN");
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private static final Source X = Source.of(new byte[] {'x'});
    private static final Duration SHORT = Duration.ofMillis(300);

    private Manners() {
    }

    public static void main(String[] arguments) {
        for (String pair : System.getenv("SHIZI_CODES").split(" ")) {
            String behaviour = "refuse/" + pair.replace(':', '/');
            trial(behaviour, at(behaviour).retries(Retries.NONE), Manners::version);
        }
        for (String behaviour : List.of("busy", "waits", "dated", "later", "lost", "bare", "gateway", "reset",
                "redirect", "notjson", "other", "future")) {
            trial(behaviour, at(behaviour), Manners::version);
        }
        ShiziClient.Builder closed = ShiziClient.builder(System.getenv("SHIZI_CLOSED"));
        trial("closed", closed.retries(Retries.NONE), Manners::version);
        trial("slow", at("slow").timeout(SHORT), Manners::version);
        trial("full", at("full"), Manners::everything);
        trial("echo", at("echo"), Manners::echo);
        trial("twice", at("twice"), shizi -> shizi.submit(List.of(X)).id());
        JobTerms terms = JobTerms.none().webhook("https://desk.example/told").idempotencyKey("order-7");
        trial("ordered", at("ordered"), shizi -> shizi.submit(List.of(X), ReadOptions.defaults(), terms).id());
        trial("partial", at("partial"), shizi -> shizi.partialDocument("j1", 1).text());
        trial("promoted", at("promoted"), shizi -> shizi.promote("2026\"").serving());
        trial("unanswered", at("unanswered"), shizi -> shizi.rollback().serving());
        trial("failed-job", at("failed-job"), shizi -> shizi.await("j1", SHORT, job -> { }).state());
        trial("slow-job", at("slow-job"), shizi -> shizi.await("j1", SHORT, job -> { }).state());
        trial("hostile", at("hostile"), shizi -> shizi.export(X, Format.PDF).name());
    }

    private static ShiziClient.Builder at(String behaviour) {
        return ShiziClient.builder(STUBBORN + "/" + behaviour + "/");
    }

    private static void trial(String behaviour, ShiziClient.Builder builder, Function<ShiziClient, String> ask) {
        String outcome;
        try {
            outcome = ask.apply(builder.key("K").build());
        } catch (ShiziException.Refused error) {
            outcome = error.getClass().getSimpleName() + " " + error.status() + " " + error.code();
            long seconds = error.retryAfter().orElse(Duration.ZERO).toSeconds();
            outcome += seconds > 0 ? " after " + seconds : "";
        } catch (ShiziException.JobFailed error) {
            outcome = "JobFailed " + error.job().errors().get(0).code();
        } catch (ShiziException error) {
            outcome = error.getClass().getSimpleName();
        }
        OUT.println(behaviour + ": " + outcome);
    }

    private static String version(ShiziClient shizi) {
        return shizi.health().version();
    }

    private static String everything(ShiziClient shizi) {
        Reading reading = shizi.read(X);
        Page page = reading.pages().get(0);
        Line line = page.lines().get(0);
        Field total = reading.fields().get("total");
        Field item = reading.fields().get("items").rows().get(0).get("name");
        return String.join(" ", List.of(
                line.text(), number(line.polygon().get(3).y()), line.words().get(0).chars().get(1).text(),
                String.valueOf(line.vertical()), page.blocks().get(0).kind(),
                String.valueOf(page.tables().get(0).cells().get(0).columnSpan()), number(page.dpi().orElseThrow()),
                String.valueOf(page.rotation()), total.value(), total.repaired().orElseThrow().before(),
                total.checks().get(0).detail(), item.value(), reading.verdict().orElseThrow().decision(),
                number(reading.stages().get("detect")), number(reading.cacheAgeSeconds().orElseThrow())));
    }

    private static String echo(ShiziClient shizi) {
        ReadOptions options = ReadOptions.defaults().mode(ReadOptions.Mode.FAST).noStore(true).deadlineMs(900)
                .password("密 码+&");
        return shizi.read(Source.of("发票 \"1\".png", new byte[5]), options).text();
    }

    private static String number(double value) {
        return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
    }
}
