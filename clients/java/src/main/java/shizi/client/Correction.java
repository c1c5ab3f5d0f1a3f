// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

/** A line was kept. {@code known}: it was before, with this text; {@code replaced}: with another, which is gone. */
public final class Correction {
    private final String outcome;
    private final String id;
    private final String text;
    private final String requestId;

    Correction(JsonObject json) {
        outcome = json.required("outcome", JsonObject::text);
        id = json.required("id", JsonObject::text);
        text = json.required("text", JsonObject::text);
        requestId = json.required("request_id", JsonObject::text);
    }

    public String outcome() {
        return outcome;
    }

    /** Names the line's picture. */
    public String id() {
        return id;
    }

    /** The text as the models spell it. */
    public String text() {
        return text;
    }

    public String requestId() {
        return requestId;
    }

    @Override
    public String toString() {
        return "Correction[" + "outcome=" + outcome + ", "
            + "id=" + id + ", "
            + "text=" + text + ", "
            + "requestId=" + requestId + "]";
    }
}
