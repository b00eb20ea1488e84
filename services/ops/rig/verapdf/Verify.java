import java.io.FileInputStream;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** Verify FLAVOUR FILE: a line for each broken rule, its clause, test and what it says; at the end `holds` or `broken`. */
public final class Verify {
    public static void main(String[] arguments) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        PDFAFlavour flavour = PDFAFlavour.fromString(arguments[0]);
        try (FileInputStream file = new FileInputStream(arguments[1]);
             PDFAParser parser = Foundries.defaultInstance().createParser(file, flavour);
             PDFAValidator validator = Foundries.defaultInstance().createValidator(flavour, false)) {
            ValidationResult found = validator.validate(parser);
            for (TestAssertion broken : found.getTestAssertions()) {
                System.out.println(broken.getRuleId().getClause() + "-" + broken.getRuleId().getTestNumber() + " "
                    + broken.getMessage());
            }
            System.out.println(found.isCompliant() ? "holds" : "broken");
        }
    }
}
