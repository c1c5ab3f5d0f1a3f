// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

import java.util.List;
import java.util.Map;

/** One version of the small recogniser; {@code refusals} tells why it may not be promoted. */
public final class Model {
    private final String name;
    private final boolean current;
    private final String made;
    private final String parent;
    private final int learned;
    private final int held;
    private final Map<String, Map<String, Map<String, Double>>> figures;
    private final List<String> refusals;

    Model(JsonObject json) {
        name = json.required("name", JsonObject::text);
        current = json.required("current", JsonObject::truth);
        made = json.required("made", JsonObject::text);
        parent = json.required("parent", JsonObject::text);
        learned = json.required("learned", JsonObject::integer);
        held = json.required("held", JsonObject::integer);
        figures = json.mapOf("figures", JsonObject.entries(JsonObject.entries(JsonObject::number)), true);
        refusals = json.listOf("refusals", JsonObject::text, true);
    }

    public String name() {
        return name;
    }

    public boolean current() {
        return current;
    }

    public String made() {
        return made;
    }

    public String parent() {
        return parent;
    }

    /** Corrections it learned from. */
    public int learned() {
        return learned;
    }

    /** Corrections it was judged by. */
    public int held() {
        return held;
    }

    /** Of each set of lines: its parent and itself. */
    public Map<String, Map<String, Map<String, Double>>> figures() {
        return figures;
    }

    public List<String> refusals() {
        return refusals;
    }

    @Override
    public String toString() {
        return "Model[" + "name=" + name + ", "
            + "current=" + current + ", "
            + "made=" + made + ", "
            + "parent=" + parent + ", "
            + "learned=" + learned + ", "
            + "held=" + held + ", "
            + "figures=" + figures + ", "
            + "refusals=" + refusals + "]";
    }
}
