// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

import java.util.Map;

/** One of several forms in a document: the page it stands on, its fields, its own verdict. */
public final class FilledForm {
    private final int page;
    private final Map<String, Field> fields;
    private final Verdict verdict;

    FilledForm(JsonObject json) {
        page = json.required("page", JsonObject::integer);
        fields = json.mapOf("fields", JsonObject.of(Field::new), true);
        verdict = json.object("verdict", Verdict::new);
    }

    public int page() {
        return page;
    }

    public Map<String, Field> fields() {
        return fields;
    }

    public Verdict verdict() {
        return verdict;
    }

    @Override
    public String toString() {
        return "FilledForm[" + "page=" + page + ", "
            + "fields=" + fields + ", "
            + "verdict=" + verdict + "]";
    }
}
