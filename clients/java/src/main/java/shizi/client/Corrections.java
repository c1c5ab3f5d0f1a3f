// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

/** Whether corrections are kept here. */
public final class Corrections {
    private final boolean kept;
    private final int longestText;
    private final String requestId;

    Corrections(JsonObject json) {
        kept = json.required("kept", JsonObject::truth);
        longestText = json.required("longest_text", JsonObject::integer);
        requestId = json.required("request_id", JsonObject::text);
    }

    public boolean kept() {
        return kept;
    }

    public int longestText() {
        return longestText;
    }

    public String requestId() {
        return requestId;
    }

    @Override
    public String toString() {
        return "Corrections[" + "kept=" + kept + ", "
            + "longestText=" + longestText + ", "
            + "requestId=" + requestId + "]";
    }
}
