// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

/** Our own misreading, put right. */
public final class Repair {
    private final String before;
    private final String after;

    Repair(JsonObject json) {
        before = json.required("before", JsonObject::text);
        after = json.required("after", JsonObject::text);
    }

    public String before() {
        return before;
    }

    public String after() {
        return after;
    }

    @Override
    public String toString() {
        return "Repair[" + "before=" + before + ", "
            + "after=" + after + "]";
    }
}
