// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

/** One character; {@code start} and {@code end} are shares of its line's length. */
public final class Char {
    private final String text;
    private final double confidence;
    private final double start;
    private final double end;

    Char(JsonObject json) {
        text = json.required("text", JsonObject::text);
        confidence = json.required("confidence", JsonObject::number);
        start = json.required("start", JsonObject::number);
        end = json.required("end", JsonObject::number);
    }

    public String text() {
        return text;
    }

    public double confidence() {
        return confidence;
    }

    public double start() {
        return start;
    }

    public double end() {
        return end;
    }

    @Override
    public String toString() {
        return "Char[" + "text=" + text + ", "
            + "confidence=" + confidence + ", "
            + "start=" + start + ", "
            + "end=" + end + "]";
    }
}
