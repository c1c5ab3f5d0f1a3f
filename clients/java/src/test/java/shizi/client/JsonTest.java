package shizi.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The JSON reader against RFC 8259. */
class JsonTest {
    @Test
    void readsValues() {
        assertEquals(Map.of("a", List.of(1L, -2.5, true), "b", Map.of()), Json.parse(" {\"a\": [1, -2.5,true] ,\"b\":{}}\n"));
        assertEquals(Arrays.asList(null, false, ""), Json.parse("[null,false,\"\"]"));
        assertNull(Json.parse("null"));
    }

    @Test
    void readsNumbers() {
        assertEquals(List.of(0L, -0L, 10L, 123456789012345678L), Json.parse("[0,-0,10,123456789012345678]"));
        assertEquals(List.of(1e3, 1.5e-3, 0.5, 1e2), Json.parse("[1e3,1.5E-3,0.5,1E+2]"));
        assertEquals(1.2345678901234568e20, Json.parse("123456789012345678901"));
    }

    @Test
    void readsStrings() {
        assertEquals("识字 😀", Json.parse("\"识字 😀\""));
        assertEquals("识\uD83D\uDE00\"\\/\b\f\n\r\t", Json.parse("\"\\u8bc6\\uD83d\\ude00\\\"\\\\\\/\\b\\f\\n\\r\\t\""));
        assertEquals("a\nb", Json.parse("\"a\\nb\""));
        assertEquals("\uD800", Json.parse("\"\\ud800\"")); // half a surrogate, as the service writes what it read
    }

    @Test
    void refusesWhatIsNoJson() {
        for (String wrong : List.of("", " ", "{", "[", "[1,]", "{\"a\":}", "{\"a\" 1}", "{a:1}", "{\"a\":1,}", "01", "1.",
                ".5", "+1", "-", "1e", "tru", "nul", "\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u12\"", "\"a\nb\"", "1 2", "[1 2]",
                "NaN", "'a'", "\"\\u１２３４\"")) {
            assertThrows(IllegalArgumentException.class, () -> Json.parse(wrong), wrong);
        }
    }

    @Test
    void writesStrings() {
        for (String text : List.of("", "识字 \"\\", "a\n\u0001\t", "\ud83d\ude00")) {
            assertEquals(text, Json.parse(Json.written(text)));
        }
    }

    @Test
    void refusesEndlessDepth() {
        assertThrows(IllegalArgumentException.class, () -> Json.parse("[".repeat(100_000)));
        assertEquals(1, ((List<?>) Json.parse("[".repeat(150) + "]".repeat(150))).size());
    }

    @Test
    void tellsWhatIsNotAsExpected() {
        JsonObject json = JsonObject.parse("{\"a\": 1, \"b\": null, \"c\": [\"x\", 2]}");
        assertEquals("The answer is not as expected (Long in place of a String); is this the address of a shizi of this "
                + "version?", unexpected(() -> json.required("a", JsonObject::text)));
        assertEquals("The answer is not as expected (nothing in place of the key b); is this the address of a shizi of "
                + "this version?", unexpected(() -> json.required("b", JsonObject::text)));
        unexpected(() -> json.listOf("c", JsonObject::text, true));
        unexpected(() -> json.listOf("a", JsonObject::text, false));
        unexpected(() -> JsonObject.parse("[1]"));
        assertNull(json.nullable("missing", JsonObject::text));
        assertEquals(List.of(), json.listOf("missing", JsonObject::text, false));
    }

    private static String unexpected(Runnable take) {
        return assertThrows(ShiziException.UnexpectedAnswer.class, take::run).getMessage();
    }
}
