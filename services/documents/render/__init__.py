"""The room's adapter to Word files and PDF: docxtpl in a sandboxed child, LibreOffice, fonts, seal, signature."""
