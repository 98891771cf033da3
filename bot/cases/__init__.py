"""Cases: what became of an application, who is allowed to know, and what citizens are told when it moves."""
