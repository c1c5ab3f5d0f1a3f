// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

/** How many lines were deleted. */
public final class CorrectionsGone {
    private final int dropped;
    private final String requestId;

    CorrectionsGone(JsonObject json) {
        dropped = json.required("dropped", JsonObject::integer);
        requestId = json.required("request_id", JsonObject::text);
    }

    public int dropped() {
        return dropped;
    }

    public String requestId() {
        return requestId;
    }

    @Override
    public String toString() {
        return "CorrectionsGone[" + "dropped=" + dropped + ", "
            + "requestId=" + requestId + "]";
    }
}
