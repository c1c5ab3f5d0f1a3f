// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

/** What was put in force. */
public final class ModelChange {
    private final String at;
    private final String how;
    private final String before;
    private final String to;

    ModelChange(JsonObject json) {
        at = json.required("at", JsonObject::text);
        how = json.required("how", JsonObject::text);
        before = json.required("before", JsonObject::text);
        to = json.required("to", JsonObject::text);
    }

    public String at() {
        return at;
    }

    public String how() {
        return how;
    }

    public String before() {
        return before;
    }

    public String to() {
        return to;
    }

    @Override
    public String toString() {
        return "ModelChange[" + "at=" + at + ", "
            + "how=" + how + ", "
            + "before=" + before + ", "
            + "to=" + to + "]";
    }
}
