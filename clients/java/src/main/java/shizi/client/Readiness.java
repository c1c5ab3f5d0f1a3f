// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

import java.util.List;

/** The models are loaded and warm. */
public final class Readiness {
    private final List<String> weights;
    private final String requestId;

    Readiness(JsonObject json) {
        weights = json.listOf("weights", JsonObject::text, true);
        requestId = json.required("request_id", JsonObject::text);
    }

    public List<String> weights() {
        return weights;
    }

    public String requestId() {
        return requestId;
    }

    @Override
    public String toString() {
        return "Readiness[" + "weights=" + weights + ", "
            + "requestId=" + requestId + "]";
    }
}
