package shizi.client;

import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What can go wrong, as types. The tree is that of docs/errors.md, with the service's own codes.
 *
 * <pre>
 * ShiziException
 * ├── ConnectionFailed         no answer came: nobody listens, or the connection broke
 * ├── TimedOut                 no answer came in time, or a job was not over in time
 * ├── UnexpectedAnswer         an answer that is none of shizi's: another program, a proxy, a redirect
 * ├── Interrupted              the thread was interrupted while it waited
 * ├── JobFailed                a job ended without a page read, or was cancelled
 * └── Refused                  the service said no
 *     ├── InternalError
 *     ├── InputError           UnsupportedFormat · DamagedFile · TooLarge · EncryptedPdf · UnknownJob · NotFinished
 *     ├── OptionsError
 *     ├── WeightsError
 *     ├── Busy                 Stopping · WorkerLost · DeadlinePassed · Unavailable
 *     └── AccessError          KeyMissing · KeyRefused · QuotaSpent
 * </pre>
 */
public class ShiziException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ShiziException(String message, Throwable cause) {
        super(message, cause);
    }

    /** No answer came: nobody listens there, or the connection broke. */
    public static final class ConnectionFailed extends ShiziException {
        private static final long serialVersionUID = 1L;

        ConnectionFailed(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** No answer came in time, or a job was not over in time. */
    public static final class TimedOut extends ShiziException {
        private static final long serialVersionUID = 1L;

        TimedOut(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The answer is none of shizi's. */
    public static final class UnexpectedAnswer extends ShiziException {
        private static final long serialVersionUID = 1L;

        UnexpectedAnswer(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The thread was interrupted while it waited; its interrupted state is kept. */
    public static final class Interrupted extends ShiziException {
        private static final long serialVersionUID = 1L;

        Interrupted(InterruptedException cause) {
            super("The thread was interrupted while it waited for the service.", cause);
            Thread.currentThread().interrupt();
        }
    }

    /** A job ended without a result; {@link #job} tells why. */
    public static final class JobFailed extends ShiziException {
        private static final long serialVersionUID = 1L;

        private final transient Job job;

        JobFailed(Job job) {
            super("The job " + job.id() + " is " + job.state() + ": "
                    + (job.errors().isEmpty() ? "no page was read" : job.errors().get(0).error()), null);
            this.job = job;
        }

        public Job job() {
            return job;
        }
    }

    /** The service said no. */
    public static class Refused extends ShiziException {
        private static final long serialVersionUID = 1L;

        private final int status;
        private final String code;
        private final String requestId;
        private final transient Optional<Duration> retryAfter;

        Refused(Told told) {
            super(told.message, null);
            status = told.status;
            code = told.code;
            requestId = told.requestId;
            retryAfter = told.retryAfter;
        }

        public int status() {
            return status;
        }

        public String code() {
            return code;
        }

        /** Names the request in the service's log. */
        public String requestId() {
            return requestId;
        }

        /** After how long the service wants to be asked again, if it said so. */
        public Optional<Duration> retryAfter() {
            return retryAfter;
        }
    }

    /** The service itself failed; its log tells more under the request's id. */
    public static final class InternalError extends Refused {
        private static final long serialVersionUID = 1L;

        InternalError(Told told) {
            super(told);
        }
    }

    /** There is no usable picture. */
    public static class InputError extends Refused {
        private static final long serialVersionUID = 1L;

        InputError(Told told) {
            super(told);
        }
    }

    /** The bytes are of a kind that is not read. */
    public static final class UnsupportedFormat extends InputError {
        private static final long serialVersionUID = 1L;

        UnsupportedFormat(Told told) {
            super(told);
        }
    }

    /** The file is broken, cut short or empty. */
    public static final class DamagedFile extends InputError {
        private static final long serialVersionUID = 1L;

        DamagedFile(Told told) {
            super(told);
        }
    }

    /** A limit on bytes, pixels or files is passed. */
    public static final class TooLarge extends InputError {
        private static final long serialVersionUID = 1L;

        TooLarge(Told told) {
            super(told);
        }
    }

    /** A PDF needs its password, or another one. */
    public static final class EncryptedPdf extends InputError {
        private static final long serialVersionUID = 1L;

        EncryptedPdf(Told told) {
            super(told);
        }
    }

    /** There is no such job, or no longer. */
    public static final class UnknownJob extends InputError {
        private static final long serialVersionUID = 1L;

        UnknownJob(Told told) {
            super(told);
        }
    }

    /** The job has no whole result. */
    public static final class NotFinished extends InputError {
        private static final long serialVersionUID = 1L;

        NotFinished(Told told) {
            super(told);
        }
    }

    /** An option is unknown or has a refused value. */
    public static final class OptionsError extends Refused {
        private static final long serialVersionUID = 1L;

        OptionsError(Told told) {
            super(told);
        }
    }

    /** A model file of the service is missing or altered. */
    public static final class WeightsError extends Refused {
        private static final long serialVersionUID = 1L;

        WeightsError(Told told) {
            super(told);
        }
    }

    /** The service takes no more work now. */
    public static class Busy extends Refused {
        private static final long serialVersionUID = 1L;

        Busy(Told told) {
            super(told);
        }
    }

    /** The service is shutting down. */
    public static final class Stopping extends Busy {
        private static final long serialVersionUID = 1L;

        Stopping(Told told) {
            super(told);
        }
    }

    /** The process that read this input died. */
    public static final class WorkerLost extends Busy {
        private static final long serialVersionUID = 1L;

        WorkerLost(Told told) {
            super(told);
        }
    }

    /** The reading did not end by its deadline. */
    public static final class DeadlinePassed extends Busy {
        private static final long serialVersionUID = 1L;

        DeadlinePassed(Told told) {
            super(told);
        }
    }

    /** What jobs or keys are kept in is full or out of reach. */
    public static final class Unavailable extends Busy {
        private static final long serialVersionUID = 1L;

        Unavailable(Told told) {
            super(told);
        }
    }

    /** The caller may not do this. */
    public static class AccessError extends Refused {
        private static final long serialVersionUID = 1L;

        AccessError(Told told) {
            super(told);
        }
    }

    /** No key came with the request. */
    public static final class KeyMissing extends AccessError {
        private static final long serialVersionUID = 1L;

        KeyMissing(Told told) {
            super(told);
        }
    }

    /** The key is unknown or revoked. */
    public static final class KeyRefused extends AccessError {
        private static final long serialVersionUID = 1L;

        KeyRefused(Told told) {
            super(told);
        }
    }

    /** The key asks too often or has used up its day. */
    public static final class QuotaSpent extends AccessError {
        private static final long serialVersionUID = 1L;

        QuotaSpent(Told told) {
            super(told);
        }
    }

    private static final Map<String, Function<Told, Refused>> BY_CODE = Map.ofEntries(
            Map.entry("internal", InternalError::new),
            Map.entry("input", InputError::new),
            Map.entry("unsupported_format", UnsupportedFormat::new),
            Map.entry("damaged_file", DamagedFile::new),
            Map.entry("too_large", TooLarge::new),
            Map.entry("encrypted_pdf", EncryptedPdf::new),
            Map.entry("unknown_job", UnknownJob::new),
            Map.entry("not_finished", NotFinished::new),
            Map.entry("options", OptionsError::new),
            Map.entry("weights", WeightsError::new),
            Map.entry("busy", Busy::new),
            Map.entry("stopping", Stopping::new),
            Map.entry("worker_lost", WorkerLost::new),
            Map.entry("deadline", DeadlinePassed::new),
            Map.entry("unavailable", Unavailable::new),
            Map.entry("access", AccessError::new),
            Map.entry("key_missing", KeyMissing::new),
            Map.entry("key_refused", KeyRefused::new),
            Map.entry("quota_spent", QuotaSpent::new));

    /** What a refusal tells. */
    static final class Told {
        private final String message;
        private final int status;
        private final String code;
        private final String requestId;
        private final Optional<Duration> retryAfter;

        Told(String message, int status, String code, String requestId, Optional<Duration> retryAfter) {
            this.message = message;
            this.status = status;
            this.code = code;
            this.requestId = requestId;
            this.retryAfter = retryAfter;
        }
    }

    /** Give the exception that a refused request's answer tells. */
    static Refused of(HttpResponse<byte[]> response) {
        int status = response.statusCode();
        Optional<Duration> again = response.headers().firstValue("Retry-After").flatMap(ShiziException::retryAfter);
        try {
            JsonObject values = JsonObject.parse(new String(response.body(), StandardCharsets.UTF_8));
            String code = values.required("code", JsonObject::text);
            String message = values.required("error", JsonObject::text);
            Told told = new Told(message, status, code, values.textOrEmpty("request_id"), again);
            return BY_CODE.getOrDefault(code, Refused::new).apply(told);
        } catch (UnexpectedAnswer error) {
            String kind = response.headers().firstValue("Content-Type").orElse("no content type");
            String message = "The answer is status " + status + " and " + kind
                    + ", none of shizi's own; a proxy before it may have sent it.";
            String requestId = response.headers().firstValue("X-Request-ID").orElse("");
            return new Refused(new Told(message, status, "http_" + status, requestId, again));
        }
    }

    /** Read Retry-After: seconds, or a date as proxies send it (RFC 9110, 10.2.3). */
    private static Optional<Duration> retryAfter(String value) {
        if (value.matches("\\d{1,9}")) {
            return Optional.of(Duration.ofSeconds(Long.parseLong(value)));
        }
        try {
            Instant at = Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(value));
            Duration left = Duration.between(Instant.now(), at);
            return Optional.of(left.isNegative() ? Duration.ZERO : left);
        } catch (DateTimeException error) {
            return Optional.empty();
        }
    }
}
