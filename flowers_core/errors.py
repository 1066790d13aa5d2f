"""The base of every error that this project raises on purpose."""


class FlowersError(Exception):
    """Something that a person can mend: the message is a sentence that says what was wrong and what would work.

    Scripts print it and exit with 1; pages show it in place. Anything else that is raised is a defect.
    """
