"""The errors a user can meet; each says what was wrong and what to do about it."""


class LinguacodusError(Exception):
    """A problem the user can mend: shown as one message, never as a traceback.

    problem: what was wrong, and where. remedy: what to do about it.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem}\n  {remedy}" if remedy else problem)

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.problem, self.remedy)


class TaskError(LinguacodusError):
    """The task folder cannot be used as it is."""


class OpenQuestion(TaskError):
    """Something about the task cannot be inferred: the remedy is the line to add to task.toml."""


class PromptError(LinguacodusError):
    """A prompt file or the variables given to it do not fit."""


class ProfileError(LinguacodusError):
    """A profile is unknown or incomplete."""


class ModelUnavailable(LinguacodusError):
    """A model file cannot be had or does not match its hash."""


class EndpointError(LinguacodusError):
    """An LLM endpoint did not give a usable answer, after every retry."""


class UnusableReply(EndpointError):
    """The model answered, but not with what was asked for, after every re-ask."""


class PromptTooLong(EndpointError):
    """The prompt does not fit into the model's context; a shorter one may."""


class Unanswered(EndpointError):
    """The endpoint took the request and did not answer in time: it may bill it all the same."""


class BudgetExceeded(LinguacodusError):
    """The next call would pass the budget; nothing was sent."""


class SandboxUnavailable(LinguacodusError):
    """The isolation that was asked for is not to be had on this machine."""


class SubmissionInvalid(LinguacodusError):
    """A submission does not match the sample submission."""


class StoreError(LinguacodusError):
    """The store cannot be read or written (full disk, missing folder, damaged manifest)."""


class CorpusError(LinguacodusError):
    """A source of kernels cannot be read: a missing file or column, a folder that is none."""


class DatasetError(LinguacodusError):
    """A dataset version is unknown, damaged, or cannot be built from what was asked for."""


class TrainingError(LinguacodusError):
    """A fine-tune cannot start or go on: configuration, examples, memory, a damaged checkpoint."""


class GateRefused(TrainingError):
    """A tuned model does not beat what it was tuned from; it is kept, and not promoted."""


class AdapterError(LinguacodusError):
    """An adapter is unknown, damaged, or made for another base."""
