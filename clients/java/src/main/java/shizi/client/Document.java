// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What was read of one picture or document. */
public class Document {
    private final String text;
    private final double confidence;
    private final List<String> weights;
    private final String source;
    private final List<Page> pages;
    private final Map<String, Field> fields;
    private final Verdict verdict;

    Document(JsonObject json) {
        text = json.required("text", JsonObject::text);
        confidence = json.required("confidence", JsonObject::number);
        weights = json.listOf("weights", JsonObject::text, true);
        source = json.nullable("source", JsonObject::text);
        pages = json.listOf("pages", JsonObject.of(Page::new), true);
        fields = json.mapOf("fields", JsonObject.of(Field::new), false);
        verdict = json.optional("verdict", Verdict::new);
    }

    public String text() {
        return text;
    }

    public double confidence() {
        return confidence;
    }

    /** The model files that read, name@digest. */
    public List<String> weights() {
        return weights;
    }

    public Optional<String> source() {
        return Optional.ofNullable(source);
    }

    public List<Page> pages() {
        return pages;
    }

    public Map<String, Field> fields() {
        return fields;
    }

    public Optional<Verdict> verdict() {
        return Optional.ofNullable(verdict);
    }

    @Override
    public String toString() {
        return "Document[" + "text=" + text + ", "
            + "confidence=" + confidence + ", "
            + "weights=" + weights + ", "
            + "source=" + source + ", "
            + "pages=" + pages + ", "
            + "fields=" + fields + ", "
            + "verdict=" + verdict + "]";
    }
}
