// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What was read. The first four keys are fixed for good. */
public final class Reading extends Document {
    private final double processingTimeMs;
    private final String requestId;
    private final boolean cached;
    private final Double cacheAgeSeconds;
    private final Map<String, String> options;
    private final List<String> warnings;
    private final Map<String, Double> stages;
    private final List<FilledForm> forms;

    Reading(JsonObject json) {
        super(json);
        processingTimeMs = json.required("processing_time_ms", JsonObject::number);
        requestId = json.required("request_id", JsonObject::text);
        cached = json.required("cached", JsonObject::truth);
        cacheAgeSeconds = json.nullable("cache_age_seconds", JsonObject::number);
        options = json.mapOf("options", JsonObject::text, true);
        warnings = json.listOf("warnings", JsonObject::text, true);
        stages = json.mapOf("stages", JsonObject::number, true);
        forms = json.listOf("forms", JsonObject.of(FilledForm::new), false);
    }

    public double processingTimeMs() {
        return processingTimeMs;
    }

    public String requestId() {
        return requestId;
    }

    public boolean cached() {
        return cached;
    }

    /** If it was cached: how old the answer is. */
    public Optional<Double> cacheAgeSeconds() {
        return Optional.ofNullable(cacheAgeSeconds);
    }

    /** The options in force, without the password. */
    public Map<String, String> options() {
        return options;
    }

    public List<String> warnings() {
        return warnings;
    }

    /** Milliseconds of each stage; empty if nothing was read now. */
    public Map<String, Double> stages() {
        return stages;
    }

    public List<FilledForm> forms() {
        return forms;
    }

    @Override
    public String toString() {
        return super.toString() + " "
            + "Reading[" + "processingTimeMs=" + processingTimeMs + ", "
            + "requestId=" + requestId + ", "
            + "cached=" + cached + ", "
            + "cacheAgeSeconds=" + cacheAgeSeconds + ", "
            + "options=" + options + ", "
            + "warnings=" + warnings + ", "
            + "stages=" + stages + ", "
            + "forms=" + forms + "]";
    }
}
