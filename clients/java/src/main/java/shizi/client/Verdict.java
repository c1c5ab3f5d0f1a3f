// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

import java.util.List;

/** Whether the fields prove themselves. */
public final class Verdict {
    private final String decision;
    private final List<String> reasons;

    Verdict(JsonObject json) {
        decision = json.required("decision", JsonObject::text);
        reasons = json.listOf("reasons", JsonObject::text, true);
    }

    public String decision() {
        return decision;
    }

    public List<String> reasons() {
        return reasons;
    }

    @Override
    public String toString() {
        return "Verdict[" + "decision=" + decision + ", "
            + "reasons=" + reasons + "]";
    }
}
