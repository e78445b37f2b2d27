from contracts.ids import AgentId, ConversationId, MessageId, uuid7
from contracts.inference import FinishReason, MessageCompleted, MessageFailed, TurnAccepted
from learning_service.domain.count import count

CONVERSATION, MESSAGE, AGENT = ConversationId(uuid7()), MessageId(uuid7()), AgentId(uuid7())


def completed(finish_reason: FinishReason) -> MessageCompleted:
    return MessageCompleted(
        conversation_id=CONVERSATION,
        message_id=MESSAGE,
        agent_id=AGENT,
        attempt=1,
        finish_reason=finish_reason,
        prompt_tokens=7,
        completion_tokens=3,
    )


def test_an_answer_counts_with_its_tokens():
    assert count(completed("stop")) == {"messages_completed": 1, "prompt_tokens": 7, "completion_tokens": 3}


def test_a_blocked_answer_is_not_a_completed_one():
    assert count(completed("blocked")) == {"messages_blocked": 1, "prompt_tokens": 7, "completion_tokens": 3}


def test_only_the_first_turn_of_a_conversation_counts_one():
    def accepted(is_new: bool) -> TurnAccepted:
        return TurnAccepted(
            conversation_id=CONVERSATION,
            message_id=MESSAGE,
            customer_message_id=MESSAGE,
            agent_id=AGENT,
            is_new_conversation=is_new,
        )

    assert count(accepted(True))["conversations"] == 1
    assert count(accepted(False))["conversations"] == 0


def test_a_failure_counts():
    failed = MessageFailed(conversation_id=CONVERSATION, message_id=MESSAGE, agent_id=AGENT, code="model_broken")
    assert count(failed) == {"messages_failed": 1}
