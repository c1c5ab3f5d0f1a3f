package shizi.client;

import java.util.Optional;

/** What may be said of a job beside how to read; each method gives new terms. */
public final class JobTerms {
    private static final JobTerms NONE = new JobTerms(null, null);

    private final String webhook;
    private final String idempotencyKey;

    private JobTerms(String webhook, String idempotencyKey) {
        this.webhook = webhook;
        this.idempotencyKey = idempotencyKey;
    }

    /** Say nothing. */
    public static JobTerms none() {
        return NONE;
    }

    /** The address that is told when the job is over; its host has to be allowed by the service. */
    public JobTerms webhook(String address) {
        return new JobTerms(address, idempotencyKey);
    }

    /** The same order under the same key is the same job; without one a random key makes retries safe. */
    public JobTerms idempotencyKey(String key) {
        return new JobTerms(webhook, key);
    }

    Optional<String> webhook() {
        return Optional.ofNullable(webhook);
    }

    Optional<String> idempotencyKey() {
        return Optional.ofNullable(idempotencyKey);
    }
}
